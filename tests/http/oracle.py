"""What the API must answer, computed straight from a file of records, without a line of the portal's own code.

It reads the records as they stand, knows no store and no entity, and is written from the documented rules alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

DECIMALS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "TND": 3}


def money(amount: Decimal | str, currency: str) -> Record:
    quantum = Decimal(1).scaleb(-DECIMALS.get(currency, 2))
    return {"amount": f"{Decimal(amount).quantize(quantum):f}", "currency": currency}


class Books:
    """One client's records, and what follows from them on a day."""

    def __init__(self, records: Iterable[Record], company_id: str, client_id: str, today: date) -> None:
        self.today = today.isoformat()
        theirs = [r for r in records if r.get("company_id") == company_id and r.get("client_id") == client_id]
        self.of: dict[str, dict[str, Record]] = defaultdict(dict)
        for record in theirs:
            self.of[record["type"]][record["id"]] = record
        self.posted = {i: r for i, r in self.of["invoice"].items() if r["state"] == "posted"}
        self.paid = {i: r for i, r in self.of["payment"].items() if r["state"] in {"in_process", "paid"}}

    # Settlement

    def settlements(self, invoice: Record) -> list[Record]:
        rows: list[Record] = []
        for source, sources in (("payment", self.paid), ("credit_note", self.posted)):
            for giver in sources.values():
                rows += (
                    self._settlement(source, giver["id"], giver["number"], part, invoice)
                    for part in giver.get("allocations") or []
                    if part["invoice_id"] == invoice["id"]
                )
        for part in invoice.get("adjustments") or []:
            amount = money(part["amount"], invoice["currency"])
            rows.append(
                {
                    "source": "adjustment",
                    "source_id": None,
                    "source_number": part["reason"],
                    "amount": amount,
                    "allocated_on": part["adjusted_on"],
                }
            )
        return rows

    def given(self, giver: Record) -> list[Record]:
        """The effective allocations of a payment or credit note."""
        if giver["type"] == "invoice" and giver["state"] != "posted":
            return []
        return [part for part in giver.get("allocations") or [] if part["invoice_id"] in self.posted]

    def due(self, invoice: Record) -> Decimal:
        settled = sum(Decimal(row["amount"]["amount"]) for row in self.settlements(invoice))
        credited = sum(Decimal(part["amount"]) for part in self.given(invoice)) if _is_note(invoice) else Decimal(0)
        return Decimal(invoice["total"]) - settled - credited

    def unallocated(self, payment: Record) -> Decimal:
        used = sum(Decimal(part.get("payment_amount") or part["amount"]) for part in self.given(payment))
        return Decimal(payment["amount"]) - used

    def instalments(self, invoice: Record) -> list[Record]:
        if _is_note(invoice):
            return []
        whole = {"due_on": invoice.get("due_on") or invoice["issued_on"], "amount": invoice["total"]}
        parts = sorted(invoice.get("instalments") or [whole], key=lambda part: part["due_on"])
        settled = Decimal(invoice["total"]) - self.due(invoice)
        rows: list[Record] = []
        for part in parts:
            covered = min(settled, Decimal(part["amount"]))
            settled -= covered
            rows.append(
                {
                    "due_on": part["due_on"],
                    "amount": money(part["amount"], invoice["currency"]),
                    "amount_due": money(Decimal(part["amount"]) - covered, invoice["currency"]),
                }
            )
        return rows

    # Documents

    def quotes(self) -> list[Record]:
        return [self.quote(r) for r in self.of["quote"].values() if r["state"] != "draft"]

    def quote(self, record: Record) -> Record:
        until = record.get("valid_until")
        expired = record["state"] == "sent" and until is not None and until < self.today
        return {
            **_head(record),
            "state": "expired" if expired else record["state"],
            "revision": record.get("revision") or 1,
            "issued_on": record["issued_on"],
            "valid_until": until,
            "decided_at": None,
        }

    def quote_detail(self, record: Record) -> Record:
        return {
            **self.quote(record),
            "lines": [_line(line, record["currency"]) for line in record["lines"]],
            "notes": record.get("notes"),
            "terms": record.get("terms"),
            "decision": None,
            "order_id": record.get("order_id"),
        }

    def orders(self) -> list[Record]:
        return [self.order(r) for r in self.of["order"].values()]

    def order(self, record: Record) -> Record:
        quote = self.of["quote"].get(record.get("quote_id") or "")
        return {
            **_head(record),
            "state": record["state"],
            "ordered_on": record["ordered_on"],
            "client_reference": record.get("client_reference"),
            "delivery_status": record["delivery_status"],
            "quote_id": quote["id"] if quote and quote["state"] != "draft" else None,
        }

    def order_detail(self, record: Record) -> Record:
        lines = [
            {
                **_line(line, record["currency"]),
                "delivered_quantity": line.get("delivered_quantity"),
                "invoiced_quantity": line.get("invoiced_quantity"),
            }
            for line in record["lines"]
        ]
        deliveries = [d for d in self.deliveries() if d["order_id"] == record["id"]]
        invoices = [i for i in self.invoices() if i["order_id"] == record["id"]]
        return {**self.order(record), "lines": lines, "deliveries": deliveries, "invoices": invoices}

    def deliveries(self) -> list[Record]:
        return [self.delivery(r) for r in self.of["delivery"].values() if r["state"] != "draft"]

    def delivery(self, record: Record) -> Record:
        order = self.of["order"].get(record.get("order_id") or "")
        first = self.of["delivery"].get(record.get("backorder_of") or "")
        optional = ["carrier_name", "tracking_number", "tracking_url", "scheduled_on", "shipped_at", "delivered_at"]
        return {
            "id": record["id"],
            "number": record["number"],
            "state": record["state"],
            "order_id": record.get("order_id"),
            "order_number": order["number"] if order else None,
            **{name: record.get(name) for name in optional},
            "shipped_at": _utc(record.get("shipped_at")),
            "delivered_at": _utc(record.get("delivered_at")),
            "backorder_of": first["id"] if first and first["state"] != "draft" else None,
            "lines": [
                {
                    "order_line_id": line.get("order_line_id"),
                    "description": line["description"],
                    "quantity": line["quantity"],
                    "delivered_quantity": line["delivered_quantity"],
                    "unit": line.get("unit"),
                }
                for line in record["lines"]
            ],
        }

    def invoices(self) -> list[Record]:
        return [self.invoice(r) for r in self.posted.values()]

    def invoice(self, record: Record) -> Record:
        due, total = self.due(record), Decimal(record["total"])
        derived = "paid" if due == 0 else "not_paid" if due == total else "partial"
        stated = record.get("payment_state")
        oldest = [part["due_on"] for part in self.instalments(record) if Decimal(part["amount_due"]["amount"]) > 0]
        return {
            **_head(record),
            "kind": record["kind"],
            "state": "posted",
            "payment_state": stated if stated in {"in_payment", "reversed"} else derived,
            "overdue": bool(oldest) and min(oldest) < self.today,
            "issued_on": record["issued_on"],
            "due_on": record.get("due_on"),
            "amount_due": money(due, record["currency"]),
            "order_id": record.get("order_id"),
            "payment_url": record.get("payment_url"),
            "payment_instructions": record.get("payment_instructions"),
        }

    def invoice_detail(self, record: Record) -> Record:
        lines = [_line(line, record["currency"]) for line in record["lines"]]
        return {**self.invoice(record), "lines": lines, "instalments": self.instalments(record)}

    def note_allocations(self, note: Record) -> list[Record]:
        return [
            {
                "invoice_id": part["invoice_id"],
                "invoice_number": self.posted[part["invoice_id"]]["number"],
                "amount": money(part["amount"], note["currency"]),
                "allocated_on": part.get("allocated_on"),
            }
            for part in self.given(note)
        ]

    def payments(self) -> list[Record]:
        return [self.payment(r) for r in self.paid.values()]

    def payment(self, record: Record) -> Record:
        return {
            "id": record["id"],
            "number": record["number"],
            "kind": record.get("kind") or "payment",
            "state": record["state"],
            "received_on": record["received_on"],
            "method": record.get("method"),
            "reference": record.get("reference"),
            "amount": money(record["amount"], record["currency"]),
            "unallocated": money(self.unallocated(record), record["currency"]),
            "allocations": [
                {
                    "invoice_id": part["invoice_id"],
                    "invoice_number": self.posted[part["invoice_id"]]["number"],
                    "amount": money(part["amount"], self.posted[part["invoice_id"]]["currency"]),
                }
                for part in self.given(record)
            ],
        }

    # Sums

    def balances(self) -> list[Record]:
        names = ("current", "days_1_30", "days_31_60", "days_61_90", "over_90")
        aging: dict[str, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(names, Decimal(0)))
        credit: dict[str, Decimal] = defaultdict(Decimal)
        for record in self.posted.values():
            currency = record["currency"]
            aging[currency]["current"] += 0
            if _is_note(record):
                credit[currency] += self.due(record)
            for part in self.instalments(record):
                days = (date.fromisoformat(self.today) - date.fromisoformat(part["due_on"])).days
                place = sum(days > edge for edge in (0, 30, 60, 90))
                aging[currency][names[place]] += Decimal(part["amount_due"]["amount"])
        for record in self.paid.values():
            sign = -1 if record.get("kind") == "refund" else 1
            aging[record["currency"]]["current"] += 0
            credit[record["currency"]] += sign * self.unallocated(record)
        return [_balance(currency, aging[currency], credit[currency]) for currency in sorted(aging)]

    def movements(self, currency: str) -> list[tuple[str, str, str, Decimal]]:
        """Day, type, id, and the amount: a debit is positive."""
        rows: list[tuple[str, str, str, Decimal]] = []
        for record in self.posted.values():
            if record["currency"] == currency:
                sign = -1 if _is_note(record) else 1
                rows.append((record["issued_on"], record["kind"], record["id"], sign * Decimal(record["total"])))
                rows += (
                    (part["adjusted_on"], "adjustment", record["id"], -sign * Decimal(part["amount"]))
                    for part in record.get("adjustments") or []
                )
        for record in self.paid.values():
            sign = 1 if record.get("kind") == "refund" else -1
            kind = record.get("kind") or "payment"
            if record["currency"] == currency:
                rows.append((record["received_on"], kind, record["id"], sign * Decimal(record["amount"])))
            rows += self._conversions(record, currency, sign)
        return sorted(rows, key=lambda row: row[:3])

    def currencies(self) -> list[str]:
        return sorted({r["currency"] for r in [*self.posted.values(), *self.paid.values()]})

    def _conversions(self, payment: Record, currency: str, sign: int) -> list[tuple[str, str, str, Decimal]]:
        rows: list[tuple[str, str, str, Decimal]] = []
        for part in self.given(payment):
            invoice = self.posted[part["invoice_id"]]
            if invoice["currency"] != payment["currency"]:
                on = part.get("allocated_on") or max(payment["received_on"], invoice["issued_on"])
                if payment["currency"] == currency:
                    rows.append((on, "conversion", payment["id"], -sign * Decimal(part["payment_amount"])))
                if invoice["currency"] == currency:
                    rows.append((on, "conversion", payment["id"], sign * Decimal(part["amount"])))
        return rows

    def _settlement(self, source: str, source_id: str, number: str, part: Record, invoice: Record) -> Record:
        return {
            "source": source,
            "source_id": source_id,
            "source_number": number,
            "amount": money(part["amount"], invoice["currency"]),
            "allocated_on": part.get("allocated_on"),
        }


def _utc(moment: str | None) -> str | None:
    return moment and datetime.fromisoformat(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _is_note(record: Record) -> bool:
    return bool(record.get("kind") == "credit_note")


def _head(record: Record) -> Record:
    currency = record["currency"]
    amounts = {name: money(record[name], currency) for name in ("subtotal", "tax", "total")}
    return {"id": record["id"], "number": record["number"], "currency": currency, **amounts}


def _line(line: Record, currency: str) -> Record:
    names = ["id", "kind", "description", "quantity", "unit", "unit_price", "discount_percent"]
    amounts = {name: None if line.get(name) is None else money(line[name], currency) for name in ("subtotal", "total")}
    return {**{name: line.get(name) for name in names}, **amounts}


def _balance(currency: str, aging: dict[str, Decimal], credit: Decimal) -> Record:
    outstanding = sum(aging.values(), Decimal(0))
    return {
        "currency": currency,
        "outstanding": money(outstanding, currency),
        "overdue": money(outstanding - aging["current"], currency),
        "credit": money(credit, currency),
        "net": money(outstanding - credit, currency),
        "aging": {name: money(amount, currency) for name, amount in aging.items()},
    }
