import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalogue.models import Book


class Order(models.Model):
    class Status(models.TextChoices):
        NEW = "new", _("new")
        PAID = "paid", _("paid")
        SHIPPED = "shipped", _("shipped")
        CANCELLED = "cancelled", _("cancelled")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="orders", null=True, blank=True
    )
    partner = models.ForeignKey(
        "Partner", models.PROTECT, related_name="orders", null=True, blank=True
    )
    email = models.EmailField(_("email"))
    address = models.TextField(_("address"))
    language = models.CharField(max_length=10, default="en")
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.NEW)
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["-created"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [("ship_order", "Can ship orders")]

    def __str__(self):
        return f"#{self.pk}"

    def get_absolute_url(self):
        return reverse("orders:order", kwargs={"pk": self.pk})

    @property
    def total(self):
        return self.lines.aggregate(total=Sum(F("price") * F("quantity")))["total"] or 0


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    book = models.ForeignKey(Book, models.PROTECT, related_name="order_lines")
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    price = models.DecimalField(_("price"), max_digits=7, decimal_places=2)

    def __str__(self):
        return f"{self.quantity} x {self.book}"


def new_key():
    return secrets.token_hex(20)


class Partner(models.Model):
    """A shop that orders by the partners' API."""

    name = models.CharField(_("name"), max_length=100)
    email = models.EmailField(_("email"))
    key = models.CharField(_("API key"), max_length=40, unique=True, default=new_key)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("partner")
        verbose_name_plural = _("partners")

    def __str__(self):
        return self.name
