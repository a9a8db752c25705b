from rest_framework import mixins, permissions, serializers, viewsets

from orders.models import Order, OrderLine
from orders.services import OutOfStockError, place_order


class OrderLineSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ["book", "quantity", "price"]
        read_only_fields = ["price"]


class OrderSerializer(serializers.ModelSerializer):
    lines = OrderLineSerializer(many=True)

    class Meta:
        model = Order
        fields = ["id", "email", "address", "status", "created", "total", "lines"]
        read_only_fields = ["status"]

    def create(self, validated_data):
        lines = validated_data.pop("lines")
        try:
            return place_order(
                {line["book"].pk: line["quantity"] for line in lines}, **validated_data
            )
        except OutOfStockError as error:
            raise serializers.ValidationError({"lines": [str(error)]}) from error


class OrderViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet):
    serializer_class = OrderSerializer
    permission_classes = [permissions.IsAuthenticated]
    filterset_fields = ["status"]

    def get_queryset(self):
        return Order.objects.filter(user=self.request.user).prefetch_related("lines")

    def perform_create(self, serializer):
        serializer.save(user=self.request.user)
