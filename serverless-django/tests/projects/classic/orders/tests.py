import hmac
import json
from datetime import datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import TestCase, override_settings
from django.utils import timezone, translation

from catalogue.models import Book
from orders.models import Order, Partner
from orders.services import OutOfStockError, place_order


class OrderTestCase(TestCase):
    fixtures = ["catalogue"]

    @classmethod
    def setUpTestData(cls):
        cls.user = User.objects.create_user("ada", "ada@example.com")
        cls.book = Book.objects.get(slug="persuasion")

    def setUp(self):
        cache.clear()
        self.client.force_login(self.user)

    def order(self, quantity=1, user=None):
        fields = {"email": "ada@example.com", "address": "12 Square"}
        return place_order({self.book.pk: quantity}, user=user or self.user, **fields)

    def stock(self):
        return Book.objects.get(pk=self.book.pk).stock


class CheckoutTests(OrderTestCase):
    def fill_basket(self, quantity):
        self.client.post("/en/orders/basket/add/persuasion/", {"quantity": quantity})

    def check_out(self, **fields):
        data = {"email": "ada@example.com", "address": "12 Square", "terms": "on"} | fields
        with self.captureOnCommitCallbacks(execute=True):
            return self.client.post("/en/orders/checkout/", data, follow=True)

    def test_basket_belongs_to_the_session(self):
        self.fill_basket(2)
        self.assertContains(self.client.get("/en/orders/basket/"), "17.00 €")
        self.assertContains(self.client_class().get("/en/orders/basket/"), "Your basket is empty.")

    def test_book_leaves_the_basket(self):
        self.fill_basket(2)
        response = self.client.post("/en/orders/basket/remove/persuasion/", follow=True)
        self.assertContains(response, "Your basket is empty.")
        self.assertEqual(self.client.get("/en/orders/basket/remove/persuasion/").status_code, 405)

    def test_quantity_has_limits(self):
        response = self.client.post("/en/orders/basket/add/emma/", {"quantity": 21}, follow=True)
        self.assertContains(response, "Please choose 1 to 20 copies.")

    def test_order_takes_stock_and_sends_a_receipt(self):
        self.fill_basket(2)
        response = self.check_out()
        order = Order.objects.get()
        self.assertRedirects(response, f"/en/orders/{order.pk}/")
        self.assertContains(response, f"Thank you for your order #{order.pk}.")
        self.assertEqual((order.total, self.stock()), (17, 1))
        [receipt] = mail.outbox
        self.assertEqual(receipt.to, ["ada@example.com"])
        self.assertIn("2 × Persuasion: 8.50 €", receipt.body)

    def test_too_few_copies(self):
        self.fill_basket(4)
        self.assertContains(self.check_out(), "Only 3 of “Persuasion” are left.")
        self.assertEqual((Order.objects.count(), self.stock(), mail.outbox), (0, 3, []))

    def test_terms_must_be_accepted(self):
        self.fill_basket(1)
        self.assertFormError(
            self.check_out(terms="").context["form"], "terms", "This field is required."
        )

    def test_empty_basket(self):
        self.assertRedirects(self.client.get("/en/orders/checkout/"), "/en/orders/basket/")


class OrderTests(OrderTestCase):
    def test_receipt_is_in_the_language_of_the_order(self):
        with translation.override("de"), self.captureOnCommitCallbacks(execute=True):
            order = self.order()
        self.assertEqual(mail.outbox[0].subject, f"Deine Bestellung #{order.pk}")

    def test_failed_order_changes_nothing(self):
        with self.assertRaises(OutOfStockError):
            self.order(quantity=4)
        self.assertEqual((Order.objects.count(), self.stock()), (0, 3))

    def test_order_of_another_customer(self):
        order = self.order(user=User.objects.create_user("eve"))
        response = self.client.get(f"/en/orders/{order.pk}/")
        self.assertContains(response, "another customer&#x27;s order", status_code=403)
        self.assertEqual(self.client.get(f"/en/orders/{order.pk}/invoice.txt").status_code, 404)

    def test_list_shows_the_time_of_berlin(self):
        order = self.order()
        night = datetime(2026, 1, 31, 23, 30, tzinfo=ZoneInfo("UTC"))
        Order.objects.filter(pk=order.pk).update(created=night)
        self.assertContains(self.client.get("/de/orders/"), "01.02.2026 00:30")

    def test_invoice_is_a_download(self):
        response = self.client.get(f"/en/orders/{self.order().pk}/invoice.txt")
        self.assertEqual(response["Content-Type"], "text/plain")
        self.assertIn("attachment", response["Content-Disposition"])

    def test_admin_ships_what_is_paid(self):
        order = self.order()
        Order.objects.update(status=Order.Status.PAID)
        staff = User.objects.create_user("staff", is_staff=True)
        names = ["view_order", "change_order", "ship_order"]
        staff.user_permissions.set(Permission.objects.filter(codename__in=names))
        self.client.force_login(staff)
        data = {"action": "ship", "_selected_action": [order.pk]}
        response = self.client.post("/admin/orders/order/", data, follow=True)
        self.assertContains(response, "Shipped: 1")


@override_settings(PAYMENT_WEBHOOK_SECRET="shared")
class WebhookTests(OrderTestCase):
    def send(self, body, secret=b"shared"):
        signature = hmac.new(secret, body, "sha256").hexdigest()
        client = self.client_class(enforce_csrf_checks=True)
        return client.post(
            "/webhooks/payment/",
            body,
            content_type="application/json",
            headers={"X-Signature": signature},
        )

    def test_payment(self):
        order = self.order()
        body = json.dumps({"type": "payment.succeeded", "order": order.pk}, indent=3).encode()
        self.assertEqual(self.send(body).status_code, 204)
        order.refresh_from_db()
        self.assertEqual(order.status, "paid")

    def test_wrong_signature(self):
        response = self.send(b"{}", secret=b"wrong")
        self.assertEqual((response.status_code, response.content), (403, b"wrong signature"))

    def test_wrong_body(self):
        self.assertEqual(self.send(b"[1]").status_code, 400)


class ApiTests(OrderTestCase):
    def test_order_by_the_api(self):
        data = {"email": "a@example.com", "address": "x", "lines": [{"book": 2, "quantity": 2}]}
        response = self.client.post("/api/orders/", data, content_type="application/json")
        self.assertEqual((response.status_code, response.json()["total"]), (201, 17))
        self.assertEqual(self.client.get("/api/orders/?status=new").json()["count"], 1)

    def test_too_few_copies(self):
        data = {"email": "a@example.com", "address": "x", "lines": [{"book": 2, "quantity": 9}]}
        response = self.client.post("/api/orders/", data, content_type="application/json")
        self.assertEqual(response.json(), {"lines": ["Only 3 of “Persuasion” are left."]})

    def test_visitors_see_no_orders(self):
        self.assertEqual(self.client_class().get("/api/orders/").status_code, 403)


class PartnerTests(OrderTestCase):
    @classmethod
    def setUpTestData(cls):
        super().setUpTestData()
        cls.partner = Partner.objects.create(name="Corner shop", email="corner@example.com")

    def call(self, method, path, data=None, key=None):
        return getattr(self.client, method)(
            path,
            data,
            content_type="application/json",
            headers={"X-API-Key": key or self.partner.key},
        )

    def post_order(self, isbn, quantity):
        data = {"address": "x", "lines": [{"isbn": isbn, "quantity": quantity}]}
        return self.call("post", "/partners/orders", data)

    def test_key_is_needed(self):
        self.assertEqual(self.call("get", "/partners/stock", key="wrong").status_code, 401)

    def test_inactive_partner(self):
        Partner.objects.update(active=False)
        self.assertEqual(self.call("get", "/partners/stock").status_code, 401)

    def test_stock(self):
        answer = self.call("get", f"/partners/stock?isbn={self.book.isbn}").json()
        self.assertEqual((answer["count"], answer["items"][0]["stock"]), (1, 3))

    def test_order(self):
        response = self.post_order(self.book.isbn, 3)
        self.assertEqual((response.status_code, Decimal(response.json()["total"])), (201, 25.5))
        path = f"/partners/orders/{response.json()['id']}"
        self.assertEqual(self.call("get", path).json()["status"], "new")

    def test_errors(self):
        self.assertEqual(self.post_order(self.book.isbn, 4).status_code, 409)
        self.assertEqual(self.post_order("1", 1).json(), {"detail": "unknown: 1"})
        self.assertEqual(self.post_order(self.book.isbn, 0).status_code, 422)
        self.assertEqual(self.call("get", "/partners/orders/0").status_code, 404)

    def test_documentation(self):
        self.assertEqual(self.client.get("/partners/docs").status_code, 200)
        self.assertIn("/partners/orders", self.client.get("/partners/openapi.json").json()["paths"])


class ClearBasketsTests(OrderTestCase):
    def test_old_baskets_of_visitors_go(self):
        for client in (self.client, self.client_class()):
            client.post("/en/orders/basket/add/emma/", {"quantity": 1})
        Session.objects.update(expire_date=timezone.now() + timedelta(days=3))
        out = StringIO()
        call_command("clear_baskets", stdout=out)
        self.assertEqual((out.getvalue(), Session.objects.count()), ("1 baskets deleted\n", 1))
