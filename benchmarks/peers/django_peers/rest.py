"""The portal in Django REST framework: serializers and generic views."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

import shapes
from django_peers import asking
from django_peers.models import AccessGrant, Allocation, Delivery, DeliveryLine, Invoice, InvoiceLine, Quote, SalesOrder


class MoneyField(serializers.Field):
    """An amount with the currency beside it in the row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)

    def to_representation(self, value: Any) -> dict[str, str]:
        return {"amount": f"{getattr(value, self.field_name):.2f}", "currency": value.currency}


class QuantityField(serializers.Field):
    """A number without its trailing context: as it was kept."""

    def to_representation(self, value: Any) -> str:
        return str(value)


class QuoteSerializer(serializers.ModelSerializer):
    state = serializers.SerializerMethodField()
    subtotal = MoneyField()
    tax = MoneyField()
    total = MoneyField()

    class Meta:
        model = Quote
        fields = (
            "id",
            "number",
            "state",
            "revision",
            "issued_on",
            "valid_until",
            "currency",
            "subtotal",
            "tax",
            "total",
            "decided_at",
        )

    def get_state(self, quote: Quote) -> str:
        return shapes.state_of(quote.state, quote.valid_until, self.context["today"])


class OrderSerializer(serializers.ModelSerializer):
    subtotal = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    quote_id = serializers.CharField()

    class Meta:
        model = SalesOrder
        fields = (
            "id",
            "number",
            "state",
            "ordered_on",
            "client_reference",
            "delivery_status",
            "currency",
            "subtotal",
            "tax",
            "total",
            "quote_id",
        )


class DeliveryLineSerializer(serializers.ModelSerializer):
    quantity = QuantityField()
    delivered_quantity = QuantityField()

    class Meta:
        model = DeliveryLine
        fields = ("order_line_id", "description", "quantity", "delivered_quantity", "unit")


class DeliverySerializer(serializers.ModelSerializer):
    order_id = serializers.CharField()
    order_number = serializers.CharField(source="order.number", default=None)
    lines = DeliveryLineSerializer(many=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "number",
            "state",
            "order_id",
            "order_number",
            "carrier_name",
            "tracking_number",
            "tracking_url",
            "scheduled_on",
            "shipped_at",
            "delivered_at",
            "backorder_of",
            "lines",
        )


class InvoiceSerializer(serializers.ModelSerializer):
    overdue = serializers.SerializerMethodField()
    subtotal = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    amount_due = MoneyField()
    order_id = serializers.CharField()

    class Meta:
        model = Invoice
        fields = (
            "id",
            "number",
            "kind",
            "state",
            "payment_state",
            "overdue",
            "issued_on",
            "due_on",
            "currency",
            "subtotal",
            "tax",
            "total",
            "amount_due",
            "order_id",
            "payment_url",
            "payment_instructions",
        )

    def get_overdue(self, invoice: Invoice) -> bool:
        return shapes.is_overdue(invoice.kind, invoice.amount_due, invoice.due_on, self.context["today"])


class InvoiceLineSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="line_id")
    quantity = QuantityField()
    unit_price = QuantityField()
    discount_percent = QuantityField()
    subtotal = serializers.SerializerMethodField()
    total = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceLine
        fields = (
            "id",
            "kind",
            "description",
            "quantity",
            "unit",
            "unit_price",
            "discount_percent",
            "subtotal",
            "total",
        )

    def get_subtotal(self, line: InvoiceLine) -> dict[str, str]:
        return {"amount": f"{line.subtotal:.2f}", "currency": self.context["currency"]}

    def get_total(self, line: InvoiceLine) -> dict[str, str]:
        return {"amount": f"{line.total:.2f}", "currency": self.context["currency"]}


class AllocationSerializer(serializers.ModelSerializer):
    source = serializers.ReadOnlyField(default="payment")
    source_id = serializers.CharField(source="payment_id")
    source_number = serializers.CharField(source="payment.number")
    amount = serializers.SerializerMethodField()

    class Meta:
        model = Allocation
        fields = ("source", "source_id", "source_number", "amount", "allocated_on")

    def get_amount(self, each: Allocation) -> dict[str, str]:
        return {"amount": f"{each.amount:.2f}", "currency": self.context["currency"]}


class InvoiceDetailSerializer(InvoiceSerializer):
    lines = InvoiceLineSerializer(many=True)
    instalments = serializers.SerializerMethodField()
    allocations = AllocationSerializer(many=True)

    class Meta(InvoiceSerializer.Meta):
        fields = (*InvoiceSerializer.Meta.fields, "reference", "lines", "instalments", "allocations")

    def get_instalments(self, invoice: Invoice) -> list[dict[str, Any]]:
        amounts = {
            name: {"amount": f"{amount:.2f}", "currency": invoice.currency}
            for name, amount in (("amount", invoice.total), ("amount_due", invoice.amount_due))
        }
        return [{"due_on": invoice.due_on, **amounts}]


class Pages(LimitOffsetPagination):
    default_limit = 25
    max_limit = 100

    def get_paginated_response(self, data: Any) -> Response:
        more = self.offset + self.limit < self.count
        meta = {"total": self.count, "limit": self.limit, "offset": self.offset, "hasMore": more}
        return Response({"data": data, "meta": meta})


class TokenView(APIView):
    """A view under a token."""

    permission: str | None = None
    grant: AccessGrant

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.grant = asking.open_grant(kwargs["token"])
        if self.permission is not None and self.permission not in self.grant.permissions:
            raise PermissionDenied


class DashboardView(TokenView):
    def get(self, request: Request, token: str) -> Response:
        client, today = self.grant.client, asking.today_of(self.grant)
        context = {"today": today}
        recent = {
            "quotes": QuoteSerializer(asking.newest_quotes(client.id), many=True, context=context).data,
            "orders": OrderSerializer(asking.newest_orders(client.id), many=True, context=context).data,
            "invoices": InvoiceSerializer(asking.posted_invoices(client.id)[:5], many=True, context=context).data,
            "deliveries": DeliverySerializer(asking.newest_deliveries(client.id), many=True, context=context).data,
        }
        parties = {
            "client": {"id": client.id, "name": client.name},
            "company": {"id": client.company.id, "name": client.company.name},
        }
        balances = [each.model_dump() for each in asking.balances(client.id, today)]
        return Response({"data": {**parties, "recent": recent, "balances": balances}})


class InvoiceList(TokenView):
    permission = "view_invoices"

    def get(self, request: Request, token: str) -> Response:
        pages = Pages()
        page = pages.paginate_queryset(asking.posted_invoices(self.grant.client_id), request, view=self)
        context = {"today": asking.today_of(self.grant)}
        return pages.get_paginated_response(InvoiceSerializer(page, many=True, context=context).data)


class InvoiceRecord(TokenView):
    permission = "view_invoices"

    def get(self, request: Request, token: str, invoice_id: str) -> Response:
        invoice = asking.one_invoice(self.grant.client_id, invoice_id)
        context = {"today": asking.today_of(self.grant), "currency": invoice.currency}
        return Response({"data": InvoiceDetailSerializer(invoice, context=context).data})
