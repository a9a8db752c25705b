import re

from django.contrib.auth.models import User
from django.core import mail
from django.test import TestCase
from django.urls import reverse

STRONG = "correct horse battery staple"


class AccountTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ada = User.objects.create_user("ada", "ada@example.com", STRONG)

    def sign_up(self, **fields):
        data = {"username": "grace", "first_name": "Grace", "email": "grace@example.com"}
        data |= {"password1": STRONG, "password2": STRONG} | fields
        return self.client.post(reverse("signup"), data, follow=True)

    def test_sign_up_logs_in(self):
        response = self.sign_up()
        self.assertRedirects(response, reverse("catalogue:home"))
        self.assertContains(response, "Welcome, Grace!")
        self.assertEqual(response.wsgi_request.user.username, "grace")

    def test_common_password_is_refused(self):
        response = self.sign_up(password1="password1", password2="password1")
        self.assertContains(response, "too common")
        self.assertFalse(User.objects.filter(username="grace").exists())

    def test_similar_password_is_refused(self):
        response = self.sign_up(password1="grace@example", password2="grace@example")
        self.assertContains(response, "too similar")

    def test_email_is_required(self):
        self.assertFormError(
            self.sign_up(email="").context["form"], "email", ["This field is required."]
        )

    def test_username_is_taken(self):
        self.assertContains(self.sign_up(username="ada"), "already exists")

    def test_login_and_logout(self):
        response = self.client.post(
            reverse("login"), {"username": "ada", "password": STRONG, "next": reverse("profile")}
        )
        self.assertRedirects(response, reverse("profile"))
        self.client.post(reverse("logout"))
        self.assertRedirects(
            self.client.get(reverse("profile")), f"{reverse('login')}?next={reverse('profile')}"
        )

    def test_wrong_password(self):
        response = self.client.post(reverse("login"), {"username": "ada", "password": "wrong"})
        self.assertContains(response, "Please enter a correct username and password")

    def test_password_reset(self):
        self.client.post(reverse("password_reset"), {"email": "ada@example.com"})
        [message] = mail.outbox
        self.assertEqual(message.to, ["ada@example.com"])
        path = re.search(r"https?://[^/]+(/\S+)", message.body)[1]
        form_page = self.client.get(path, follow=True)
        response = self.client.post(
            form_page.redirect_chain[-1][0],
            {"new_password1": "another long secret", "new_password2": "another long secret"},
        )
        self.assertRedirects(response, reverse("password_reset_complete"))
        self.assertTrue(self.client.login(username="ada", password="another long secret"))

    def test_reset_for_an_unknown_address_sends_nothing(self):
        response = self.client.post(reverse("password_reset"), {"email": "who@example.com"})
        self.assertRedirects(response, reverse("password_reset_done"))
        self.assertEqual(mail.outbox, [])

    def test_profile_is_saved(self):
        self.client.force_login(self.ada)
        data = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
        response = self.client.post(reverse("profile"), data, follow=True)
        self.assertContains(response, "Your profile has been saved.")
        self.ada.refresh_from_db()
        self.assertEqual(self.ada.get_full_name(), "Ada Lovelace")

    def test_forms_are_protected(self):
        client = self.client_class(enforce_csrf_checks=True)
        response = client.post(reverse("login"), {"username": "ada", "password": STRONG})
        self.assertEqual(response.status_code, 403)
