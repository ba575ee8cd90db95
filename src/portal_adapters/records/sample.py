"""A small business and two of its clients, with days counted from today, so that the sample never goes stale."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import orjson
from attrs import frozen

from portal_core.domain.documents import JSON
from portal_core.domain.ids import ClientId, CompanyId

COMPANY = CompanyId("alder-finch")
CLIENT = ClientId("harbour-cafe")
"""The client that has something of everything."""

OTHER_CLIENT = ClientId("northgate-school")
TIMEZONE = "Europe/Dublin"

_TAX_PERCENT = 20

Record: TypeAlias = dict[str, JSON]
Item: TypeAlias = tuple[str, int, str, int]
"""What it is, how many, of which unit, and cents for each."""

Brought: TypeAlias = tuple[Item, int, int]
"""What a delivery is to bring, how many, and how many it has brought."""

_TABLES: Item = ("Oak table, 120 by 70 cm, oiled", 6, "piece", 38_500)
_CHAIRS: Item = ("Chair “Finch”, ash", 24, "piece", 9_450)
_BENCH: Item = ("Window bench, 2.4 m, made to measure", 1, "piece", 124_000)
_COUNTER: Item = ("Counter front in oak, with fitting", 1, "piece", 318_000)
_SHELVES: Item = ("Wall shelf, walnut", 8, "piece", 7_600)
_FITTING: Item = ("Fitting on site", 6, "hour", 5_800)
_CARE: Item = ("Care of wood surfaces", 1, "month", 9_000)
_DESKS: Item = ("Desk for two, birch plywood", 30, "piece", 16_400)


@frozen
class _Sample:
    """Writes records with days counted from one day."""

    today: date

    def day(self, offset: int) -> str:
        return (self.today + timedelta(days=offset)).isoformat()

    def moment(self, offset: int) -> str:
        return f"{self.day(offset)}T09:30:00Z"

    def quote(self, number: str, state: str, offset: int, items: Sequence[Item], **more: JSON) -> Record:
        own: Record = {"state": state, "issued_on": self.day(offset), "notes": _NOTES, "terms": _TERMS}
        return {**_owned("quote", number), **own, **_sums(items), "lines": [*_lines(items)], **more}

    def order(
        self, number: str, state: str, offset: int, items: Sequence[Item], done: Sequence[int], **more: JSON
    ) -> Record:
        lines = [
            {**line, "delivered_quantity": str(delivered), "invoiced_quantity": line["quantity"]}
            for line, delivered in zip(_lines(items), done, strict=True)
        ]
        own: Record = {"state": state, "ordered_on": self.day(offset), "lines": [*lines]}
        return {**_owned("order", number), **own, **_sums(items), **more}

    def delivery(self, number: str, state: str, order: str, parts: Sequence[Brought], **more: JSON) -> Record:
        lines: list[JSON] = [
            {
                "order_line_id": str(place),
                "description": item[0],
                "quantity": str(planned),
                "delivered_quantity": str(brought),
                "unit": item[2],
            }
            for place, (item, planned, brought) in enumerate(parts, start=1)
        ]
        return {**_owned("delivery", number), "state": state, "order_id": order, "lines": lines, **more}

    def invoice(self, number: str, offset: int, items: Sequence[Item], **more: JSON) -> Record:
        own: Record = {
            "kind": "invoice",
            "state": "posted",
            "issued_on": self.day(offset),
            "due_on": self.day(offset + 30),
            "payment_instructions": f"Please give {number} as the reference.",
        }
        return {**_owned("invoice", number), **own, **_sums(items), "lines": [*_lines(items)], **more}

    def payment(self, number: str, offset: int, cents: int, paid: Sequence[tuple[str, int]], **more: JSON) -> Record:
        allocations: list[JSON] = [
            {"invoice_id": invoice, "amount": _money(part), "allocated_on": self.day(offset)} for invoice, part in paid
        ]
        own: Record = {
            "state": "paid",
            "received_on": self.day(offset),
            "currency": "EUR",
            "amount": _money(cents),
            "method": "Bank transfer",
            "allocations": allocations,
        }
        return {**_owned("payment", number), **own, **more}

    def records(self) -> Iterator[Record]:
        yield from self.parties()
        yield from self.quotes()
        yield from self.goods()
        yield from self.bills()
        yield from self.monthly()
        yield from self.neighbour()

    def parties(self) -> Iterator[Record]:
        yield {
            "type": "company",
            "id": COMPANY,
            "name": "Alder & Finch Joinery",
            "timezone": TIMEZONE,
            "currency": "EUR",
            "locale": "en_IE",
            "email": "office@alder-finch.example",
            "phone": "+353 1 555 0142",
            "website": "https://alder-finch.example/",
            "address": "14 Mill Lane\nDublin 8",
            "payment_instructions": "By bank transfer to IE64 IRCE 9205 0112 3456 78, within 30 days.",
            "accent_colour": "#8a4b1f",
            "footer": "Alder & Finch Joinery Ltd. Registered in Ireland, VAT IE1234567T.",
        }
        for client_id, name in ((CLIENT, "Harbour Café"), (OTHER_CLIENT, "Northgate School")):
            email = f"accounts@{client_id}.example"
            yield {"type": "client", "company_id": COMPANY, "id": client_id, "name": name, "email": email}

    def quotes(self) -> Iterator[Record]:
        yield self.quote("Q-1047", "sent", -2, [_COUNTER, _FITTING], valid_until=self.day(28))
        yield self.quote("Q-1045", "sent", -9, [_SHELVES], valid_until=self.day(5), revision=2)
        yield self.quote("Q-1041", "sent", -75, [_BENCH, _SHELVES], valid_until=self.day(-30))
        yield self.quote("Q-1036", "accepted", -64, [_TABLES, _CHAIRS], order_id="SO-2211")
        yield self.quote("Q-1029", "declined", -130, [_COUNTER])
        yield self.quote("Q-1048", "draft", 0, [_BENCH])

    def goods(self) -> Iterator[Record]:
        yield self.order(
            "SO-2211",
            "confirmed",
            -60,
            [_TABLES, _CHAIRS],
            [6, 16],
            delivery_status="partial",
            client_reference="PO 4711",
            quote_id="Q-1036",
        )
        yield self.order("SO-2217", "confirmed", -6, [_SHELVES], [0], delivery_status="pending")
        yield self.order("SO-2190", "done", -210, [_BENCH, _FITTING], [1, 6], delivery_status="delivered")
        shipped: Record = {
            "carrier_name": "Swift Parcels",
            "tracking_number": "SP 0048 1122",
            "tracking_url": "https://track.example.com/SP00481122",
        }
        yield self.delivery(
            "OUT-3301",
            "delivered",
            "SO-2211",
            [(_TABLES, 6, 6), (_CHAIRS, 24, 16)],
            scheduled_on=self.day(-41),
            shipped_at=self.moment(-41),
            delivered_at=self.moment(-40),
            **shipped,
        )
        yield self.delivery(
            "OUT-3319",
            "shipped",
            "SO-2211",
            [(_CHAIRS, 8, 0)],
            backorder_of="OUT-3301",
            scheduled_on=self.day(1),
            shipped_at=self.moment(-1),
            **{**shipped, "tracking_number": "SP 0051 9080", "tracking_url": "https://track.example.com/SP00519080"},
        )
        yield self.delivery("OUT-3322", "waiting", "SO-2217", [(_SHELVES, 8, 0)], scheduled_on=self.day(12))
        yield self.delivery(
            "OUT-3207",
            "delivered",
            "SO-2190",
            [(_BENCH, 1, 1)],
            shipped_at=self.moment(-190),
            delivered_at=self.moment(-190),
        )

    def bills(self) -> Iterator[Record]:
        yield self.invoice("INV-0904", -185, [_BENCH, _FITTING], order_id="SO-2190")
        yield self.payment("PAY-0551", -160, 190_560, [("INV-0904", 190_560)], reference="INV-0904")
        whole = _total([_TABLES, _CHAIRS])
        half = whole // 2
        parts: list[JSON] = [
            {"due_on": self.day(-8), "amount": _money(half)},
            {"due_on": self.day(22), "amount": _money(whole - half)},
        ]
        yield self.invoice(
            "INV-0961", -38, [_TABLES, _CHAIRS], order_id="SO-2211", due_on=self.day(22), instalments=parts
        )
        yield self.payment("PAY-0588", -12, 150_000, [("INV-0961", 150_000)], reference="first part of INV-0961")
        yield self.invoice("INV-0938", -95, [_SHELVES])
        yield self.invoice(
            "CN-0041",
            -30,
            [("Chair “Finch”, ash, returned with a flaw", 2, "piece", 9_450)],
            kind="credit_note",
            due_on=None,
            payment_instructions=None,
            allocations=[{"invoice_id": "INV-0961", "amount": "100.00", "allocated_on": self.day(-29)}],
        )
        yield self.invoice("INV-0972", -4, [_FITTING], payment_state="in_payment")
        yield self.payment("PAY-0593", -1, _total([_FITTING]), [("INV-0972", _total([_FITTING]))], state="in_process")

    def monthly(self) -> Iterator[Record]:
        """Yield a year of care, one invoice a month: the last is open, one got a discount, one was paid too much."""
        due = _total([_CARE])
        for month in range(12):
            number, offset = f"CARE-{month + 1:02d}", -350 + 30 * month
            discount: list[JSON] = [
                {"amount": "2.16", "reason": "Early payment discount", "adjusted_on": self.day(offset + 5)}
            ]
            yield self.invoice(number, offset, [_CARE], adjustments=discount if month == _DISCOUNTED else [])
            if month < _LAST_MONTH:
                paid = due - 216 if month == _DISCOUNTED else due
                received = paid + 1_000 if month == _OVERPAID else paid
                yield self.payment(f"PAY-06{month + 1:02d}", offset + 20, received, [(number, paid)])

    def neighbour(self) -> Iterator[Record]:
        own: Record = {"client_id": OTHER_CLIENT}
        yield {**self.quote("Q-1044", "sent", -12, [_DESKS], valid_until=self.day(18)), **own}
        yield {**self.invoice("INV-0950", -50, [_DESKS]), **own}


_DISCOUNTED, _OVERPAID, _LAST_MONTH = 4, 7, 11
_NOTES = "Prices include delivery within the city."
_TERMS = "Half on order, half on delivery. Wood is a natural material; colour and grain vary."


def sample_file(now: datetime) -> bytes:
    """Return the sample as JSON Lines, with the days that its records would have at a moment."""
    today = now.astimezone(ZoneInfo(TIMEZONE)).date()
    records = _Sample(today).records()
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in records)


def _owned(kind: str, number: str) -> Record:
    return {"type": kind, "company_id": COMPANY, "client_id": CLIENT, "id": number, "number": number}


def _lines(items: Sequence[Item]) -> list[Record]:
    return [
        {
            "id": str(place),
            "kind": "item",
            "description": description,
            "quantity": str(quantity),
            "unit": unit,
            "unit_price": _money(price),
            "discount_percent": None,
            "subtotal": _money(quantity * price),
            "total": _money(_with_tax(quantity * price)),
        }
        for place, (description, quantity, unit, price) in enumerate(items, start=1)
    ]


def _sums(items: Sequence[Item]) -> Record:
    subtotal = sum(quantity * price for _, quantity, _, price in items)
    total = _total(items)
    return {
        "currency": "EUR",
        "subtotal": _money(subtotal),
        "tax": _money(total - subtotal),
        "total": _money(total),
    }


def _total(items: Sequence[Item]) -> int:
    return sum(_with_tax(quantity * price) for _, quantity, _, price in items)


def _with_tax(cents: int) -> int:
    return cents + cents * _TAX_PERCENT // 100


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
