from django.urls import path

from orders import views

app_name = "orders"

urlpatterns = [
    path("", views.OrderList.as_view(), name="orders"),
    path("<int:pk>/", views.OrderDetail.as_view(), name="order"),
    path("<int:pk>/invoice.txt", views.invoice, name="invoice"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.add_to_basket, name="add"),
    path("basket/remove/<slug:slug>/", views.remove_from_basket, name="remove"),
    path("checkout/", views.Checkout.as_view(), name="checkout"),
]
