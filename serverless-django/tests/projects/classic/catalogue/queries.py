from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.core.cache import cache
from django.db import connection
from django.db.models import Avg, Count, Max, Min, Q, Sum

from catalogue.models import Book, Category


def search(books, words):
    """Full-text search on PostgreSQL, a plain comparison elsewhere."""
    if connection.vendor != "postgresql":
        return books.filter(Q(title__icontains=words) | Q(description__icontains=words))
    vector = SearchVector("title", weight="A") + SearchVector("description", weight="B")
    query = SearchQuery(words, search_type="websearch")
    ranked = books.annotate(found=vector, rank=SearchRank(vector, query))
    return ranked.filter(found=query).order_by("-rank", "title")


def statistics():
    return cache.get_or_set("statistics", _statistics, timeout=300)


def _statistics():
    totals = Book.objects.aggregate(
        books=Count("pk"),
        copies=Sum("stock"),
        cheapest=Min("price"),
        dearest=Max("price"),
        average_rating=Avg("rating"),
    )
    categories = Category.objects.annotate(count=Count("books")).values_list("name", "count")
    return {**totals, "categories": dict(categories)}
