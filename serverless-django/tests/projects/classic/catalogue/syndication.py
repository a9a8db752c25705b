from django.contrib.syndication import views as syndication
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from catalogue.models import Book


class NewBooks(syndication.Feed):
    title = _("New books")
    link = reverse_lazy("catalogue:home")
    description = _("The books that were published last.")

    def items(self):
        return Book.objects.order_by("-published")[:5]

    def item_description(self, item):
        return item.description
