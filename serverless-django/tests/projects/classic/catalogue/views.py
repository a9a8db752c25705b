import csv
import hashlib
import json
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.db import transaction
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import aget_object_or_404, get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.http import condition, last_modified, require_POST, require_safe
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from catalogue import queries
from catalogue.forms import BookFilesForm, ReviewForm, SearchForm
from catalogue.models import Book, Review

RATES = {"EUR": Decimal(1), "USD": Decimal("1.08"), "CHF": Decimal("0.95")}
THEMES = ["light", "dark"]


class BookList(ListView):
    paginate_by = 6
    template_name = "catalogue/home.html"

    def get_queryset(self):
        books = Book.objects.select_related("category").prefetch_related("authors")
        self.form = SearchForm(self.request.GET)
        if not self.form.is_valid():
            return books.none()
        if category := self.form.cleaned_data["category"]:
            books = books.filter(category=category)
        if words := self.form.cleaned_data["q"]:
            books = queries.search(books, words)
        return books

    def get_context_data(self, **kwargs):
        return super().get_context_data(form=self.form, **kwargs)


class BookDetail(DetailView):
    queryset = Book.objects.select_related("category").prefetch_related("authors", "reviews__user")

    def get_context_data(self, **kwargs):
        last = self.request.get_signed_cookie("last_book", default=None, max_age=30 * 86400)
        return super().get_context_data(
            review_form=ReviewForm(),
            last_book=Book.objects.filter(pk=last).exclude(pk=self.object.pk).first(),
            **kwargs,
        )

    def get(self, request, *args, **kwargs):
        response = super().get(request, *args, **kwargs)
        response.set_signed_cookie(
            "last_book", self.object.pk, max_age=30 * 86400, httponly=True, samesite="Lax"
        )
        return response


class AddReview(LoginRequiredMixin, CreateView):
    form_class = ReviewForm
    template_name = "catalogue/review_form.html"

    def dispatch(self, request, *args, **kwargs):
        self.book = get_object_or_404(Book, slug=kwargs["slug"])
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        Review.objects.update_or_create(
            book=self.book, user=self.request.user, defaults=form.cleaned_data
        )
        messages.success(self.request, _("Thank you for your review."))
        return redirect(self.book)

    def get_context_data(self, **kwargs):
        return super().get_context_data(book=self.book, **kwargs)


class EditFiles(PermissionRequiredMixin, UpdateView):
    model = Book
    form_class = BookFilesForm
    template_name = "catalogue/files_form.html"
    permission_required = "catalogue.change_book"


def _book_version(request, slug):
    book = Book.objects.filter(slug=slug).values("updated", "stock").first()
    return f'"{hashlib.md5(repr(book).encode()).hexdigest()}"' if book else None


def _book_updated(request, slug):
    return Book.objects.filter(slug=slug).values_list("updated", flat=True).first()


@require_safe
@condition(etag_func=_book_version, last_modified_func=_book_updated)
def book_json(request, slug):
    book = get_object_or_404(Book, slug=slug)
    return JsonResponse(
        {"title": book.title, "isbn": book.isbn, "price": book.price, "tags": book.tags}
    )


@transaction.non_atomic_requests
async def stock(request, slug):
    book = await aget_object_or_404(Book, slug=slug)
    return JsonResponse({"slug": book.slug, "stock": book.stock, "available": book.stock > 0})


@never_cache
def price(request, slug, currency):
    book = get_object_or_404(Book, slug=slug)
    rate = RATES[currency]
    return JsonResponse({"currency": currency, "price": round(book.price * rate, 2)})


@method_decorator(cache_page(60), name="dispatch")
class Bestsellers(ListView):
    template_name = "catalogue/bestsellers.html"

    def get_queryset(self):
        return Book.objects.filter(rating__isnull=False).order_by("-rating", "title")[:10]


def statistics(request):
    return render(request, "catalogue/statistics.html", {"statistics": queries.statistics()})


class _Echo:
    def write(self, value):
        return value


@permission_required("catalogue.view_book", raise_exception=True)
def export(request):
    writer = csv.writer(_Echo())
    books = Book.objects.order_by("isbn").values_list("isbn", "title", "price", "stock")
    rows = (writer.writerow(row) for row in [("isbn", "title", "price", "stock"), *books])
    return StreamingHttpResponse(
        rows,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, "books.csv")},
    )


def _newest_update(request):
    return Book.objects.order_by("-updated").values_list("updated", flat=True).first()


@last_modified(_newest_update)
def tags(request):
    found = {tag for tags in Book.objects.values_list("tags", flat=True) for tag in tags}
    return HttpResponse(json.dumps(sorted(found)), content_type="application/json")


@require_POST
def theme(request):
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = redirect(target)
    chosen = request.POST.get("theme")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=365 * 86400, samesite="Lax")
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response
