from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from catalogue.models import Author, Book, Category, Review


class ReviewInline(admin.TabularInline):
    model = Review
    extra = 0
    readonly_fields = ["created"]


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ["name", "born"]
    search_fields = ["name"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "isbn", "category", "price", "stock", "rating"]
    list_editable = ["stock"]
    list_filter = ["category", "published"]
    search_fields = ["title", "isbn", "authors__name"]
    date_hierarchy = "published"
    autocomplete_fields = ["authors"]
    prepopulated_fields = {"slug": ["title"]}
    inlines = [ReviewInline]
    actions = ["sell_out"]

    @admin.action(description=_("Set stock to zero"), permissions=["change"])
    def sell_out(self, request, queryset):
        count = queryset.update(stock=0)
        message = ngettext("%d book is sold out.", "%d books are sold out.", count) % count
        self.message_user(request, message, messages.SUCCESS)


admin.site.site_header = _("Bookshop administration")
