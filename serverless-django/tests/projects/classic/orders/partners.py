"""The API of partner shops."""

from decimal import Decimal

from ninja import Field, ModelSchema, NinjaAPI, Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate
from ninja.security import APIKeyHeader

from catalogue.models import Book
from orders.models import Order, Partner
from orders.services import OutOfStockError, place_order


class PartnerKey(APIKeyHeader):
    param_name = "X-API-Key"

    def authenticate(self, request, key):
        return Partner.objects.filter(key=key, active=True).first()


class StockOut(ModelSchema):
    class Meta:
        model = Book
        fields = ["isbn", "title", "price", "stock"]


class LineIn(Schema):
    isbn: str
    quantity: int = Field(ge=1, le=500)


class OrderIn(Schema):
    address: str
    lines: list[LineIn] = Field(min_length=1)


class OrderOut(Schema):
    id: int
    status: str
    total: Decimal


api = NinjaAPI(title="Partners", version="1", auth=PartnerKey(), urls_namespace="partners")
router = Router(tags=["orders"])


@api.get("stock", response=list[StockOut])
@paginate
def stock(request, isbn: list[str] = Query(default=[])):  # noqa: B008
    books = Book.objects.order_by("isbn")
    return books.filter(isbn__in=isbn) if isbn else books


@router.post("", response={201: OrderOut})
def create_order(request, data: OrderIn):
    books = dict(
        Book.objects.filter(isbn__in=[line.isbn for line in data.lines]).values_list("isbn", "pk")
    )
    if unknown := {line.isbn for line in data.lines} - books.keys():
        raise HttpError(404, f"unknown: {', '.join(sorted(unknown))}")
    partner = request.auth
    try:
        return 201, place_order(
            {books[line.isbn]: line.quantity for line in data.lines},
            partner=partner,
            email=partner.email,
            address=data.address,
        )
    except OutOfStockError as error:
        raise HttpError(409, str(error)) from error


@router.get("/{int:order_id}", response=OrderOut)
def read_order(request, order_id: int):
    order = Order.objects.filter(pk=order_id, partner=request.auth).first()
    if order is None:
        raise HttpError(404, "no such order")
    return order


api.add_router("orders", router)
