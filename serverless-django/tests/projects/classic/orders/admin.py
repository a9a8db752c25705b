from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orders.models import Order, OrderLine, Partner


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 0
    raw_id_fields = ["book"]


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "email", "status", "created", "total"]
    list_filter = ["status", "created"]
    search_fields = ["email", "lines__book__title"]
    date_hierarchy = "created"
    readonly_fields = ["created"]
    raw_id_fields = ["user"]
    inlines = [OrderLineInline]
    actions = ["ship"]

    @admin.action(description=_("Mark as shipped"), permissions=["ship"])
    def ship(self, request, queryset):
        count = queryset.filter(status=Order.Status.PAID).update(status=Order.Status.SHIPPED)
        self.message_user(request, _("Shipped: %d") % count)

    def has_ship_permission(self, request):
        return request.user.has_perm("orders.ship_order")


@admin.register(Partner)
class PartnerAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "active"]
    readonly_fields = ["key"]
