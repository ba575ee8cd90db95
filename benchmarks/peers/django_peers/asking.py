"""What both of Django's peers ask the database: the grant, the newest of each, the balances."""

import hashlib
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q, QuerySet, Sum
from django.http import Http404
from django.utils import timezone

import shapes
from django_peers.models import AccessGrant, Delivery, Invoice, Payment, Quote, SalesOrder


def open_grant(token: str) -> AccessGrant:
    """Return the grant of a live token."""
    grant = (
        AccessGrant.objects.select_related("client__company")
        .filter(digest=hashlib.sha256(token.encode()).digest(), revoked_at__isnull=True, expires_at__gt=timezone.now())
        .first()
    )
    if grant is None:
        raise Http404
    return grant


def today_of(grant: AccessGrant) -> date:
    """Return the day it is for the company."""
    return datetime.now(ZoneInfo(grant.client.company.timezone)).date()


def newest_quotes(client_id: str) -> QuerySet[Quote]:
    return Quote.objects.filter(client_id=client_id).exclude(state="draft").order_by("-issued_on", "-id")[:5]


def newest_orders(client_id: str) -> QuerySet[SalesOrder]:
    return SalesOrder.objects.filter(client_id=client_id).order_by("-ordered_on", "-id")[:5]


def posted_invoices(client_id: str) -> QuerySet[Invoice]:
    return Invoice.objects.filter(client_id=client_id, state="posted").order_by("-issued_on", "-id")


def newest_deliveries(client_id: str) -> QuerySet[Delivery]:
    return (
        Delivery.objects.filter(client_id=client_id)
        .exclude(state="draft")
        .select_related("order")
        .prefetch_related("lines")
        .order_by(F("scheduled_on").desc(nulls_last=True), "-id")[:5]
    )


def one_invoice(client_id: str, invoice_id: str) -> Invoice:
    invoice = posted_invoices(client_id).filter(id=invoice_id)
    found = invoice.prefetch_related("lines", "allocations__payment").first()
    if found is None:
        raise Http404
    return found


def balances(client_id: str, today: date) -> list[shapes.Balance]:
    def due(condition: Q) -> Sum:
        return Sum("amount_due", filter=Q(kind="invoice") & condition)

    def between(first: int, last: int) -> Q:
        return Q(due_on__lt=today - timedelta(first - 1), due_on__gte=today - timedelta(last))

    sums = (
        Invoice.objects.filter(client_id=client_id, state="posted", amount_due__gt=0)
        .values("currency")
        .annotate(
            current=due(Q(due_on__isnull=True) | Q(due_on__gte=today)),
            days_1_30=due(between(1, 30)),
            days_31_60=due(between(31, 60)),
            days_61_90=due(between(61, 90)),
            over_90=due(Q(due_on__lt=today - timedelta(90))),
            credit=Sum("amount_due", filter=Q(kind="credit_note")),
        )
        .order_by("currency")
    )
    unallocated = Payment.objects.filter(client_id=client_id, unallocated__gt=0).values_list("currency")
    spare: dict[Any, Any] = dict(unallocated.annotate(Sum("unallocated")))
    return [
        shapes.balance(each, (each["credit"] or Decimal(0)) + spare.get(each["currency"], Decimal(0))) for each in sums
    ]
