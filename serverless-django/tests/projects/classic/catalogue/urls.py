from django.urls import path

from catalogue import views

app_name = "catalogue"

urlpatterns = [
    path("", views.BookList.as_view(), name="home"),
    path("bestsellers/", views.Bestsellers.as_view(), name="bestsellers"),
    path("statistics/", views.statistics, name="statistics"),
    path("export.csv", views.export, name="export"),
    path("tags.json", views.tags, name="tags"),
    path("theme/", views.theme, name="theme"),
    path("books/<slug:slug>/", views.BookDetail.as_view(), name="book"),
    path("books/<slug:slug>/book.json", views.book_json, name="book-json"),
    path("books/<slug:slug>/files/", views.EditFiles.as_view(), name="files"),
    path("books/<slug:slug>/price/<str:currency>.json", views.price, name="price"),
    path("books/<slug:slug>/review/", views.AddReview.as_view(), name="review"),
    path("books/<slug:slug>/stock/", views.stock, name="stock"),
]
