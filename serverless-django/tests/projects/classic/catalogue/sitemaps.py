from django.contrib.sitemaps import Sitemap

from catalogue.models import Book


class BookSitemap(Sitemap):
    changefreq = "daily"

    def items(self):
        return Book.objects.all()

    def lastmod(self, book):
        return book.updated
