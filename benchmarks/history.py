"""A trading history of any size, as records: the same ones each time, made by arithmetic and not by chance."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import orjson
from attrs import frozen

COMPANY = "bench"
NEWEST = date(2026, 10, 31)
SMALL_CLIENT = "C-small"
LARGE_CLIENT = "C-large"

_COMPANY = {
    "type": "company",
    "id": COMPANY,
    "name": "Bench Trading Ltd",
    "timezone": "Europe/Dublin",
    "currency": "EUR",
}
_ARTICLES = ("Coffee beans", "Filter papers", "Paper cups", "Oat milk", "Cleaning tablets", "Grinder burrs")
_PAID_AT_ONCE = 4
_FEWEST_OPEN = 6
_A_YEAR = 45


@frozen(kw_only=True)
class Size:
    """How much history there is. One client has `small` invoices, one `large`, all others `each`.

    Of the others only every `copies`-th is imported; they are then copied within the database.
    """

    name: str
    clients: int
    copies: int
    each: int
    small: int
    large: int


FULL = Size(name="full", clients=20_000, copies=50, each=45, small=100, large=100_000)
"""A million invoices."""

SMALL = Size(name="small", clients=20, copies=2, each=45, small=100, large=1_000)
"""Enough to see that everything works."""


def write_history(size: Size) -> Iterator[bytes]:
    """Yield the records as lines of JSON."""
    yield _line(_COMPANY)
    for client, invoices in clients_of(size):
        yield from map(_line, _records(client, invoices))


def clients_of(size: Size) -> Iterator[tuple[str, int]]:
    """Yield each client's id with how many invoices it has."""
    yield SMALL_CLIENT, size.small
    yield LARGE_CLIENT, size.large
    for place in range(size.clients // size.copies):
        yield f"C-{place}", size.each


def _line(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record) + b"\n"


def _records(client: str, invoices: int) -> Iterator[dict[str, Any]]:
    seed = sum(client.encode())
    unit = "USD" if seed % 5 == 0 else "EUR"
    common = {"company_id": COMPANY, "client_id": client}
    yield {"type": "client", "company_id": COMPANY, "id": client, "name": f"Client {client.removeprefix('C-')}"}
    for place in range(max(6, invoices // 100)):
        yield _quote(client, place, seed, unit) | common
        yield _order(client, place, seed, unit) | common
        yield _delivery(client, place) | common
    for place in range(invoices):
        yield _invoice(client, place, seed, unit) | common
    still_open = max(_FEWEST_OPEN, invoices // 50)
    for start in range(still_open, invoices, _PAID_AT_ONCE):
        yield _payment(client, range(start, min(start + _PAID_AT_ONCE, invoices)), seed, unit) | common


def _quote(client: str, place: int, seed: int, unit: str) -> dict[str, Any]:
    """Return a quote; a client's newest one is open for ever."""
    ordered = place > 0
    return {
        "type": "quote",
        "id": f"Q-{client}-{place}",
        "number": f"Q{place:06}",
        "state": ("sent", "accepted", "declined", "sent")[place % 4],
        "revision": 1 + place % 3,
        "issued_on": _day(place * 9),
        "valid_until": _day(place * 9 - 30) if ordered else None,
        "currency": unit,
        **_sums(place, seed, quantities=("2", "5")),
        "terms": "Delivery within two weeks.",
        "order_id": f"O-{client}-{place}" if place % 4 == 1 else None,
    }


def _order(client: str, place: int, seed: int, unit: str) -> dict[str, Any]:
    parts = {"delivered_quantity": "1", "invoiced_quantity": "1"}
    return {
        "type": "order",
        "id": f"O-{client}-{place}",
        "number": f"SO{place:06}",
        "state": ("confirmed", "done")[place % 2],
        "ordered_on": _day(place * 9),
        "client_reference": f"PO {place}" if place % 3 else None,
        "delivery_status": ("pending", "delivered", "partial")[place % 3],
        "currency": unit,
        **_sums(place, seed, quantities=("2", "5"), more=parts),
        "quote_id": f"Q-{client}-{place}" if place % 4 == 1 else None,
    }


def _delivery(client: str, place: int) -> dict[str, Any]:
    shipped = place % 3 == 1
    return {
        "type": "delivery",
        "id": f"D-{client}-{place}",
        "number": f"WH{place:06}",
        "state": ("waiting", "shipped", "ready")[place % 3],
        "order_id": f"O-{client}-{place}",
        "carrier_name": "Overland" if shipped else None,
        "tracking_number": f"OV{place:08}" if shipped else None,
        "tracking_url": f"https://track.example/OV{place:08}" if shipped else None,
        "scheduled_on": _day(place * 9 - 3),
        "shipped_at": f"{_day(place * 9 - 1)}T09:30:00Z" if shipped else None,
        "lines": [
            {
                "order_line_id": f"{number}",
                "description": _ARTICLES[(place + number) % len(_ARTICLES)],
                "quantity": f"{number}",
                "delivered_quantity": "1",
                "unit": "pcs",
            }
            for number in (1, 2)
        ],
    }


def _invoice(client: str, place: int, seed: int, unit: str) -> dict[str, Any]:
    kind = "credit_note" if place == _FEWEST_OPEN - 1 else "invoice"
    return {
        "type": "invoice",
        "id": f"I-{client}-{place}",
        "number": f"INV{place:07}",
        "kind": kind,
        "state": "posted",
        "issued_on": _day(_age(place)),
        "due_on": _day(_age(place) - 30),
        "currency": unit,
        **_sums(place, seed, quantities=("1", "3")),
        "order_id": f"O-{client}-{place}" if place < _FEWEST_OPEN else None,
        "payment_url": f"https://pay.example/{client}/{place}" if place % 2 else None,
    }


def _payment(client: str, paid: range, seed: int, unit: str) -> dict[str, Any]:
    """Return a payment of whole invoices; some pay a little too much."""
    totals = [_total(place, seed, quantities=("1", "3")) for place in paid]
    given = sum(totals) + (500 if paid.start % 16 == 0 else 0)
    return {
        "type": "payment",
        "id": f"P-{client}-{paid.start}",
        "number": f"PAY{paid.start:07}",
        "state": "paid",
        "received_on": _day(_age(paid.start) - 20),
        "currency": unit,
        "amount": _money(given),
        "method": "Bank transfer",
        "allocations": [
            {"invoice_id": f"I-{client}-{place}", "amount": _money(total)}
            for place, total in zip(paid, totals, strict=True)
        ],
    }


def _sums(place: int, seed: int, *, quantities: tuple[str, ...], more: dict[str, str] | None = None) -> dict[str, Any]:
    """Return lines and what they add up to, with a tax of 23 percent rounded by line."""
    lines = []
    for number, quantity in enumerate(quantities, 1):
        price = _price(place, seed, number)
        net = price * int(quantity)
        lines.append(
            {
                "id": f"{number}",
                "kind": "item",
                "description": _ARTICLES[(place + number) % len(_ARTICLES)],
                "quantity": quantity,
                "unit": "pcs",
                "unit_price": _money(price),
                "discount_percent": None,
                "subtotal": _money(net),
                "total": _money(net + _tax(net)),
                **(more or {}),
            }
        )
    nets = [_price(place, seed, number) * int(quantity) for number, quantity in enumerate(quantities, 1)]
    subtotal, tax = sum(nets), sum(map(_tax, nets))
    return {"subtotal": _money(subtotal), "tax": _money(tax), "total": _money(subtotal + tax), "lines": lines}


def _total(place: int, seed: int, *, quantities: tuple[str, ...]) -> int:
    nets = [_price(place, seed, number) * int(quantity) for number, quantity in enumerate(quantities, 1)]
    return sum(nets) + sum(map(_tax, nets))


def _price(place: int, seed: int, number: int) -> int:
    return 105 + (place * 7919 + seed * 104_729 + number * 31) % 25_000


def _tax(net: int) -> int:
    return (net * 23 + 50) // 100


def _age(place: int) -> int:
    """Return how many days before the newest one an invoice is: the more a client has, the more there are a day."""
    return place * 8 if place < _A_YEAR else 8 * _A_YEAR + (place - _A_YEAR) // 30


def _day(before: int) -> str:
    return (NEWEST - timedelta(before)).isoformat()


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"
