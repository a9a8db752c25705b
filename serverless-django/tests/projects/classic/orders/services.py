from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalogue.models import Book
from orders.models import Order, OrderLine
from orders.tasks import send_receipt


class OutOfStockError(Exception):
    pass


@transaction.atomic
def place_order(quantities, **fields):
    """Order `quantities`: the number of copies for each primary key of a book."""
    books = Book.objects.select_for_update().filter(pk__in=quantities).order_by("pk")
    books = {book.pk: book for book in books}
    order = Order.objects.create(language=get_language(), **fields)
    for pk, quantity in quantities.items():
        if books[pk].stock < quantity:
            raise OutOfStockError(
                _("Only %(stock)d of “%(title)s” are left.")
                % {"stock": books[pk].stock, "title": books[pk].title}
            )
        Book.objects.filter(pk=pk).update(stock=F("stock") - quantity)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, book=books[pk], quantity=quantity, price=books[pk].price)
        for pk, quantity in quantities.items()
    )
    transaction.on_commit(partial(send_receipt.enqueue, order.pk))
    return order
