import csv
import tempfile
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path

from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings
from django.urls import reverse
from PIL import Image
from rest_framework.authtoken.models import Token

from catalogue.models import Book, Review


def picture(name="cover.png"):
    file = BytesIO()
    Image.new("RGB", (20, 30), "darkred").save(file, "PNG")
    return SimpleUploadedFile(name, file.getvalue(), "image/png")


class CatalogueTestCase(TestCase):
    fixtures = ["catalogue"]

    @classmethod
    def setUpTestData(cls):
        cls.user = User.objects.create_user("ada")
        cls.editor = User.objects.create_user("editor", is_staff=True)
        models = ContentType.objects.filter(app_label="catalogue")
        cls.editor.user_permissions.set(Permission.objects.filter(content_type__in=models))
        cls.book = Book.objects.get(slug="emma")

    def setUp(self):
        cache.clear()


class PageTests(CatalogueTestCase):
    def test_list_is_paginated(self):
        response = self.client.get(reverse("catalogue:home"))
        self.assertEqual(len(response.context["page_obj"]), 6)
        self.assertContains(response, '<a href="?page=2">→</a>')
        self.assertEqual(self.client.get("/en/?page=99").status_code, 404)

    def test_search_keeps_the_category(self):
        response = self.client.get("/en/", {"q": "rabbit", "category": "fuer-kinder"})
        self.assertEqual(
            [book.slug for book in response.context["page_obj"]], ["alice-in-wonderland"]
        )

    def test_unknown_category_finds_nothing(self):
        self.assertContains(self.client.get("/en/?category=x"), "No book was found.")

    def test_german_pages_and_prices(self):
        response = self.client.get("/de/books/radioactivity/")
        self.assertContains(response, "1.234,50 €")
        self.assertContains(response, "1 Exemplar auf Lager")
        self.assertEqual(response["Content-Language"], "de")

    def test_language_is_chosen_by_a_form(self):
        data = {"language": "de", "next": "/en/bestsellers/"}
        response = self.client.post(reverse("set_language"), data)
        self.assertEqual(response["Location"], "/de/bestsellers/")
        self.assertRedirects(self.client.get("/bestsellers/"), "/de/bestsellers/")

    def test_language_of_the_browser(self):
        response = self.client.get("/", headers={"Accept-Language": "de-AT,de;q=0.9"})
        self.assertRedirects(response, "/de/")
        self.assertIn("Accept-Language", response["Vary"])

    def test_old_address_moves(self):
        self.assertRedirects(self.client.get("/shop/"), "/en/", status_code=301)
        self.assertRedirects(self.client.get("/en/books/emma"), "/en/books/emma/", status_code=301)

    def test_last_book_is_in_a_signed_cookie(self):
        self.client.get("/en/books/emma/")
        self.assertContains(self.client.get("/en/books/persuasion/"), "You looked at")
        self.client.cookies["last_book"] = "1:forged"
        self.assertNotContains(self.client.get("/en/books/persuasion/"), "You looked at")

    def test_theme_is_a_cookie(self):
        response = self.client.post(
            "/en/theme/", {"theme": "dark", "next": "https://evil.example/"}
        )
        self.assertEqual((response["Location"], response.cookies["theme"].value), ("/", "dark"))
        self.assertContains(self.client.get("/en/"), 'data-theme="dark"')

    def test_not_found_page(self):
        self.assertContains(
            self.client.get("/en/nowhere/"), "nothing at /en/nowhere/", status_code=404
        )
        self.assertEqual(self.client.get("/api/nowhere/").json(), {"detail": "No such resource."})

    def test_failing_view(self):
        self.client.raise_request_exception = False
        response = self.client.get("/en/books/emma/price/XXX.json")
        self.assertEqual((response.status_code, response.json()), (500, {"error": "internal"}))

    def test_price_in_another_currency(self):
        response = self.client.get("/en/books/emma/price/USD.json")
        self.assertEqual(response.json(), {"currency": "USD", "price": "10.69"})

    def test_conditional_get(self):
        first = self.client.get("/en/books/emma/book.json")
        headers = {"If-None-Match": first["ETag"]}
        self.assertEqual(
            self.client.get("/en/books/emma/book.json", headers=headers).status_code, 304
        )
        Book.objects.filter(pk=self.book.pk).update(stock=1)
        self.assertEqual(
            self.client.get("/en/books/emma/book.json", headers=headers).status_code, 200
        )

    def test_not_modified_since(self):
        first = self.client.get("/en/tags.json")
        headers = {"If-Modified-Since": first["Last-Modified"]}
        self.assertEqual(self.client.get("/en/tags.json", headers=headers).status_code, 304)

    def test_async_view(self):
        response = self.client.get("/en/books/emma/stock/")
        self.assertEqual(response.json(), {"slug": "emma", "stock": 12, "available": True})

    def test_bestsellers_are_cached(self):
        Book.objects.filter(pk=self.book.pk).update(rating=5)
        self.assertContains(self.client.get("/en/bestsellers/"), "Emma")
        Book.objects.update(rating=None)
        self.assertContains(self.client.get("/en/bestsellers/"), "Emma")

    def test_statistics_follow_the_books(self):
        self.assertContains(self.client.get("/en/statistics/"), "<dd>14</dd>")
        Book.objects.get(slug="persuasion").delete()
        self.assertContains(self.client.get("/en/statistics/"), "<dd>13</dd>")

    def test_flatpage_sitemap_and_syndication(self):
        self.assertContains(self.client.get("/about/"), "<p>Three rooms full of books")
        self.assertContains(self.client.get("/sitemap.xml"), "<loc>", count=14)
        self.assertContains(self.client.get("/new.rss"), "<item>", count=5)


class ReviewTests(CatalogueTestCase):
    def test_visitor_has_to_log_in(self):
        response = self.client.get("/en/books/emma/review/")
        self.assertRedirects(response, "/en/accounts/login/?next=/en/books/emma/review/")

    def test_review_changes_the_rating(self):
        self.client.force_login(self.user)
        for stars in (2, 4):
            data = {"stars": stars, "text": "So and so."}
            response = self.client.post("/en/books/emma/review/", data, follow=True)
            self.assertContains(response, "Thank you for your review.")
        self.book.refresh_from_db()
        self.assertEqual((self.book.rating, Review.objects.count()), (4, 1))

    def test_stars_have_limits(self):
        self.client.force_login(self.user)
        response = self.client.post("/en/books/emma/review/", {"stars": 6, "text": "!"})
        self.assertContains(response, "less than or equal to 5")


class FileTests(CatalogueTestCase):
    def setUp(self):
        super().setUp()
        media = tempfile.TemporaryDirectory()
        self.addCleanup(media.cleanup)
        settings = override_settings(MEDIA_ROOT=media.name)
        settings.enable()
        self.addCleanup(settings.disable)

    def test_permission_is_needed(self):
        self.client.force_login(self.user)
        self.assertContains(
            self.client.get("/en/books/emma/files/"), "Not allowed", status_code=403
        )

    def test_upload_of_cover_and_sample(self):
        self.client.force_login(self.editor)
        sample = SimpleUploadedFile("emma.txt", b"Emma Woodhouse, handsome, clever, and rich")
        data = {"cover": picture(), "sample": sample}
        self.assertRedirects(self.client.post("/en/books/emma/files/", data), "/en/books/emma/")
        self.book.refresh_from_db()
        self.assertEqual((self.book.cover.width, self.book.cover.height), (20, 30))
        self.assertContains(self.client.get("/en/books/emma/"), self.book.cover.url.split("?")[0])
        with self.book.sample.open() as file:
            self.assertEqual(file.read()[:4], b"Emma")

    def test_same_name_twice_keeps_both(self):
        self.client.force_login(self.editor)
        for slug in ("emma", "persuasion"):
            self.client.post(f"/en/books/{slug}/files/", {"cover": picture()})
        names = set(Book.objects.exclude(cover="").values_list("cover", flat=True))
        self.assertEqual(len(names), 2)

    def test_bad_files_are_refused(self):
        self.client.force_login(self.editor)
        data = {
            "cover": SimpleUploadedFile("cover.png", b"no picture", "image/png"),
            "sample": SimpleUploadedFile("sample.exe", b"MZ"),
        }
        response = self.client.post("/en/books/emma/files/", data)
        self.assertContains(response, "Upload a valid image")
        self.assertContains(response, "File extension “exe” is not allowed")

    def test_export_is_a_csv_file(self):
        self.client.force_login(self.user)
        self.assertEqual(self.client.get("/en/export.csv").status_code, 403)
        self.client.force_login(self.editor)
        response = self.client.get("/en/export.csv")
        rows = list(csv.DictReader(StringIO(response.getvalue().decode())))
        self.assertEqual(len(rows), 14)
        self.assertIn("books.csv", response["Content-Disposition"])


class AdminTests(CatalogueTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.editor)

    def test_search_and_filter(self):
        response = self.client.get("/admin/catalogue/book/?q=austen&category__id__exact=1")
        self.assertContains(response, "4 books")

    def test_action(self):
        data = {"action": "sell_out", "_selected_action": [self.book.pk]}
        response = self.client.post("/admin/catalogue/book/", data, follow=True)
        self.assertContains(response, "1 book is sold out.")

    def test_change_with_an_inline(self):
        page = self.client.get(f"/admin/catalogue/book/{self.book.pk}/change/")
        data = page.context["adminform"].form.initial
        data = {name: value for name, value in data.items() if name not in ("cover", "sample")}
        data |= {"authors": [1], "tags": "[]", "stock": 5}
        data |= {"reviews-TOTAL_FORMS": 1, "reviews-INITIAL_FORMS": 0}
        data |= {"reviews-0-user": self.user.pk, "reviews-0-stars": 3, "reviews-0-text": "Fine."}
        response = self.client.post(page.wsgi_request.path, data)
        self.assertRedirects(response, "/admin/catalogue/book/")
        self.book.refresh_from_db()
        self.assertEqual((self.book.stock, self.book.rating), (5, 3))


class ApiTests(CatalogueTestCase):
    def setUp(self):
        super().setUp()
        self.headers = {"Authorization": f"Token {Token.objects.create(user=self.editor)}"}

    def test_pages_filters_search_and_order(self):
        answer = self.client.get("/api/books/").json()
        self.assertEqual((answer["count"], len(answer["results"])), (14, 10))
        query = {"price_min": 8, "category": "novels", "ordering": "-price", "search": "second"}
        answer = self.client.get("/api/books/", query).json()
        self.assertEqual([book["slug"] for book in answer["results"]], ["persuasion"])

    def test_browsable_api(self):
        response = self.client.get("/api/books/", headers={"Accept": "text/html"})
        self.assertContains(response, "Book List")

    def test_anonymous_may_only_read(self):
        response = self.client.delete("/api/books/1/")
        self.assertEqual(response.status_code, 403)

    def test_create_and_validate(self):
        data = {"title": "Dune", "slug": "dune", "isbn": "12", "authors": [1], "category": 1}
        data |= {"price": "9.99", "published": "1965-08-01"}
        response = self.client.post("/api/books/", data, headers=self.headers)
        self.assertEqual(response.json(), {"isbn": ["An ISBN has 13 digits."]})
        data["isbn"] = "9780441172719"
        response = self.client.post("/api/books/", data, headers=self.headers)
        self.assertEqual(response.status_code, 201)

    def test_restock(self):
        path = "/api/books/1/restock/"
        response = self.client.post(path, {"copies": 3}, "application/json", headers=self.headers)
        self.assertEqual((response.status_code, response.json()), (202, {"stock": 15}))

    def test_token_is_throttled(self):
        self.user.set_password("secret")
        self.user.save()
        data = {"username": "ada", "password": "secret"}
        codes = [self.client.post("/api/token/", data).status_code for _ in range(6)]
        self.assertEqual(codes, [200] * 5 + [429])


class ImportTests(CatalogueTestCase):
    def run_import(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "books.csv"
            file.write_text(
                "isbn,title,authors,category,price,stock,published\n"
                f"{self.book.isbn},Emma,Jane Austen,Novels,5.00,1,1815-12-23\n"
                "9780000000002,Mathilda,Mary Shelley;Someone,Novels,6.00,2,1959-01-01\n"
            )
            out = StringIO()
            call_command("import_books", str(file), *arguments, stdout=out)
            return out.getvalue()

    def test_books_are_created_and_updated(self):
        self.assertIn("1 created, 1 updated", self.run_import())
        self.book.refresh_from_db()
        self.assertEqual(self.book.price, 5)
        self.assertEqual(Book.objects.get(slug="mathilda").authors.count(), 2)

    def test_dry_run_changes_nothing(self):
        self.run_import("--dry-run")
        self.assertFalse(Book.objects.filter(slug="mathilda").exists())

    def test_missing_file(self):
        with self.assertRaisesMessage(CommandError, "cannot read missing.csv"):
            call_command("import_books", "missing.csv")


class ModelTests(CatalogueTestCase):
    def test_updated_is_set_when_saved(self):
        before = self.book.updated
        self.book.save()
        self.assertGreater(self.book.updated - before, timedelta(0))
