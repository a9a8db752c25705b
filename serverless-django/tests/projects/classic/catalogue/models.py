from django.conf import settings
from django.core.validators import FileExtensionValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class Author(models.Model):
    name = models.CharField(_("name"), max_length=200)
    born = models.DateField(_("born"), null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("author")
        verbose_name_plural = _("authors")

    def __str__(self):
        return self.name


class Category(models.Model):
    name = models.CharField(_("name"), max_length=100, unique=True)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self):
        return self.name


class Book(models.Model):
    title = models.CharField(_("title"), max_length=200)
    slug = models.SlugField(unique=True)
    isbn = models.CharField("ISBN", max_length=13, unique=True)
    authors = models.ManyToManyField(Author, related_name="books", verbose_name=_("authors"))
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="books", verbose_name=_("category")
    )
    description = models.TextField(_("description"), blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    price = models.DecimalField(
        _("price"), max_digits=7, decimal_places=2, validators=[MinValueValidator(0)]
    )
    stock = models.PositiveIntegerField(_("stock"), default=0)
    published = models.DateField(_("published"))
    cover = models.ImageField(_("cover"), upload_to="covers/", blank=True)
    sample = models.FileField(
        _("sample chapter"),
        upload_to="samples/%Y/",
        blank=True,
        validators=[FileExtensionValidator(["pdf", "txt"])],
    )
    rating = models.DecimalField(
        _("rating"), max_digits=3, decimal_places=2, null=True, editable=False
    )
    updated = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        ordering = ["title"]
        verbose_name = _("book")
        verbose_name_plural = _("books")
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=0), name="book_price_not_negative")
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("catalogue:book", kwargs={"slug": self.slug})


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews")
    stars = models.PositiveSmallIntegerField(
        _("stars"), validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    text = models.TextField(_("text"), max_length=2000)
    created = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["-created"]
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["book", "user"], name="one_review_per_book_and_user")
        ]

    def __str__(self):
        return f"{self.book}: {self.stars}"
