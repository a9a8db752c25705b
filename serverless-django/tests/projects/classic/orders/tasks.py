from django.core.mail import EmailMessage
from django.tasks import task
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from orders.models import Order


@task
def send_receipt(order_id):
    order = Order.objects.prefetch_related("lines__book").get(pk=order_id)
    with translation.override(order.language):
        EmailMessage(
            subject=_("Your order %s") % order,
            body=render_to_string("orders/receipt.txt", {"order": order}),
            to=[order.email],
            headers={"X-Order": str(order.pk)},
        ).send()
