import hmac
import json

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from django.views.generic import DetailView, FormView, ListView

from catalogue.models import Book
from orders.basket import Basket
from orders.forms import BasketForm, CheckoutForm
from orders.models import Order
from orders.services import OutOfStockError, place_order


def basket(request):
    return render(request, "orders/basket.html")


@require_POST
def add_to_basket(request, slug):
    book = get_object_or_404(Book, slug=slug)
    form = BasketForm(request.POST)
    if form.is_valid():
        Basket(request.session).add(book, form.cleaned_data["quantity"])
        messages.success(request, _("“%s” is in your basket.") % book)
        return redirect("orders:basket")
    messages.error(request, _("Please choose 1 to 20 copies."))
    return redirect(book)


@require_http_methods(["POST", "DELETE"])
def remove_from_basket(request, slug):
    Basket(request.session).remove(get_object_or_404(Book, slug=slug))
    return redirect("orders:basket")


class Checkout(LoginRequiredMixin, FormView):
    template_name = "orders/checkout.html"
    form_class = CheckoutForm

    def dispatch(self, request, *args, **kwargs):
        self.basket = Basket(request.session)
        if not self.basket:
            messages.info(request, _("Your basket is empty."))
            return redirect("orders:basket")
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self):
        return {"email": self.request.user.email}

    def form_valid(self, form):
        quantities = {int(pk): count for pk, count in self.basket.quantities.items()}
        fields = {name: form.cleaned_data[name] for name in ("email", "address")}
        try:
            order = place_order(quantities, user=self.request.user, **fields)
        except OutOfStockError as error:
            form.add_error(None, str(error))
            return self.form_invalid(form)
        self.basket.clear()
        messages.success(self.request, _("Thank you for your order %s.") % order)
        return redirect(order)


class OrderList(LoginRequiredMixin, ListView):
    paginate_by = 10

    def get_queryset(self):
        return Order.objects.filter(user=self.request.user).prefetch_related("lines")


class OrderDetail(LoginRequiredMixin, DetailView):
    queryset = Order.objects.prefetch_related("lines__book")

    def get_object(self, queryset=None):
        order = super().get_object(queryset)
        if order.user != self.request.user and not self.request.user.is_staff:
            raise PermissionDenied(_("This is another customer's order."))
        return order


@login_required
def invoice(request, pk):
    order = get_object_or_404(Order, pk=pk, user=request.user)
    response = render(request, "orders/receipt.txt", {"order": order}, content_type="text/plain")
    response["Content-Disposition"] = f'attachment; filename="invoice-{order.pk}.txt"'
    return response


@csrf_exempt
@require_POST
def payment_webhook(request):
    secret = settings.PAYMENT_WEBHOOK_SECRET.encode()
    expected = hmac.new(secret, request.body, "sha256").hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Signature", "")):
        return HttpResponseForbidden("wrong signature")
    try:
        event = json.loads(request.body)
        order = get_object_or_404(Order, pk=event["order"])
    except (ValueError, KeyError, TypeError):
        return HttpResponseBadRequest("not an event")
    if event.get("type") == "payment.succeeded" and order.status == Order.Status.NEW:
        order.status = Order.Status.PAID
        order.save(update_fields=["status"])
    return HttpResponse(status=204)
