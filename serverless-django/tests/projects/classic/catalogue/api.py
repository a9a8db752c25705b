from django_filters import rest_framework as filters
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response

from catalogue.models import Author, Book


class AuthorSerializer(serializers.ModelSerializer):
    class Meta:
        model = Author
        fields = ["id", "name", "born"]


class BookSerializer(serializers.ModelSerializer):
    class Meta:
        model = Book
        fields = [
            "id", "title", "slug", "isbn", "authors", "category", "description", "tags",
            "price", "stock", "published", "cover", "rating", "updated",
        ]  # fmt: skip

    def validate_isbn(self, value):
        if not value.isdigit() or len(value) != 13:
            raise serializers.ValidationError("An ISBN has 13 digits.")
        return value


class RestockSerializer(serializers.Serializer):
    copies = serializers.IntegerField(min_value=1, max_value=1000)


class BookFilter(filters.FilterSet):
    price = filters.RangeFilter()
    category = filters.CharFilter(field_name="category__slug")
    min_stock = filters.NumberFilter(field_name="stock", lookup_expr="gte")

    class Meta:
        model = Book
        fields = ["price", "category", "authors", "published"]


class AuthorViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = Author.objects.all()
    serializer_class = AuthorSerializer
    search_fields = ["name"]


class BookViewSet(viewsets.ModelViewSet):
    queryset = Book.objects.select_related("category").prefetch_related("authors")
    serializer_class = BookSerializer
    filterset_class = BookFilter
    search_fields = ["title", "description"]
    ordering_fields = ["title", "price", "published"]

    @action(
        detail=True,
        methods=["post"],
        permission_classes=[IsAdminUser],
        serializer_class=RestockSerializer,
    )
    def restock(self, request, pk=None):
        book = self.get_object()
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        book.stock += serializer.validated_data["copies"]
        book.save()
        return Response({"stock": book.stock}, status=status.HTTP_202_ACCEPTED)
