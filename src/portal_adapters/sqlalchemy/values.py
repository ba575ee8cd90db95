"""Values that are kept inside a row, as JSON. Money is minor units, with its currency only where the row's differs."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias

import orjson
from attrs import fields

from portal_adapters.sqlalchemy.columns import EPOCH
from portal_core.domain.access import DocumentRef, DocumentType, Permission, Secret
from portal_core.domain.deliveries import DeliveryLine
from portal_core.domain.documents import decimal_json
from portal_core.domain.ids import GrantId
from portal_core.domain.invoices import Adjustment, Instalment
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import CURRENCIES, Currency, Money, format_decimal
from portal_core.domain.quotes import Evidence

KeptMoney: TypeAlias = "int | tuple[int, str] | None"

_MICROSECOND = timedelta(microseconds=1)

_EVIDENCE = tuple(each.name for each in fields(Evidence))


def dump(value: object) -> str:
    """Return JSON without spaces."""
    return orjson.dumps(value).decode()


def load(text: str) -> Any:  # noqa: ANN401 - the caller knows what it kept
    """Return what `dump` was given."""
    return orjson.loads(text)


def dump_lines(lines: Iterable[Line], unit: Currency) -> str:
    """Return the lines of a quote, order or invoice; what is missing is left out."""
    return dump([_line(line, unit) for line in lines])


def load_lines(text: str, unit: Currency) -> tuple[Line, ...]:
    """Return the lines of a quote or invoice."""
    return tuple(Line(**_line_fields(kept, unit)) for kept in load(text))


def load_order_lines(text: str, unit: Currency) -> tuple[OrderLine, ...]:
    """Return the lines of an order."""
    return tuple(OrderLine(**_line_fields(kept, unit)) for kept in load(text))


def dump_delivery_lines(lines: Iterable[DeliveryLine]) -> str:
    """Return the lines of a delivery."""
    return dump(
        [
            [
                line.order_line_id,
                line.description,
                decimal_json(line.quantity),
                decimal_json(line.delivered_quantity),
                line.unit,
            ]
            for line in lines
        ]
    )


def load_delivery_lines(text: str) -> tuple[DeliveryLine, ...]:
    """Return the lines of a delivery."""
    return tuple(
        DeliveryLine(
            order_line_id=order_line_id,
            description=description,
            quantity=Decimal(quantity),
            delivered_quantity=Decimal(delivered),
            unit=unit,
        )
        for order_line_id, description, quantity, delivered, unit in load(text)
    )


def dump_instalments(parts: Iterable[Instalment], unit: Currency) -> str:
    """Return the instalments of an invoice."""
    return dump([[part.due_on.isoformat(), _kept_money(part.amount, unit)] for part in parts])


def load_instalments(text: str, unit: Currency) -> tuple[Instalment, ...]:
    """Return the instalments of an invoice."""
    return tuple(
        Instalment(due_on=date.fromisoformat(due_on), amount=_money(kept, unit)) for due_on, kept in load(text)
    )


def dump_adjustments(parts: Iterable[Adjustment], unit: Currency) -> str:
    """Return what settled an invoice without a payment."""
    return dump([[_kept_money(part.amount, unit), part.reason, part.adjusted_on.isoformat()] for part in parts])


def load_adjustments(text: str, unit: Currency) -> tuple[Adjustment, ...]:
    """Return what settled an invoice without a payment."""
    return tuple(
        Adjustment(amount=_money(kept, unit), reason=reason, adjusted_on=date.fromisoformat(adjusted_on))
        for kept, reason, adjusted_on in load(text)
    )


def dump_evidence(evidence: Evidence) -> str:
    """Return who decided and how it came in; what is not known is left out."""
    kept = ((name, getattr(evidence, name)) for name in _EVIDENCE)
    return dump({name: value for name, value in kept if value is not None})


def load_evidence(text: str) -> Evidence:
    """Return who decided and how it came in."""
    kept: dict[str, str] = load(text)
    grant_id = kept.pop("grant_id", None)
    return Evidence(grant_id=None if grant_id is None else GrantId(grant_id), **kept)


def dump_permissions(permissions: Iterable[Permission]) -> str:
    """Return what a link may do, in alphabetical order."""
    return dump(sorted(permissions))


@cache
def load_permissions(text: str) -> frozenset[Permission]:
    """Return what a link may do."""
    return frozenset(Permission(each) for each in load(text))


def dump_ref(ref: DocumentRef) -> str:
    """Return a document's type and id as one text, to be asked for."""
    return f"{ref.type.value}:{ref.id}"


def load_ref(text: str) -> DocumentRef:
    """Return a document's type and id."""
    kind, _, document_id = text.partition(":")
    return DocumentRef(DocumentType(kind), document_id)


def dump_refs(refs: Iterable[DocumentRef]) -> str:
    """Return the documents that a link is narrowed to."""
    return dump(sorted(dump_ref(ref) for ref in refs))


def load_refs(text: str) -> frozenset[DocumentRef]:
    """Return the documents that a link is narrowed to."""
    return frozenset(load_ref(each) for each in load(text))


def dump_secrets(secrets: Iterable[Secret]) -> str:
    """Return what is kept of a link's tokens."""
    return dump(
        [
            [secret.digest.hex(), secret.hint, microseconds_of(secret.created_at), _when(secret.dies_at)]
            for secret in secrets
        ]
    )


def load_secrets(text: str) -> tuple[Secret, ...]:
    """Return what is kept of a link's tokens, oldest first."""
    return tuple(
        Secret(
            digest=bytes.fromhex(digest),
            hint=hint,
            created_at=EPOCH + timedelta(microseconds=created_at),
            dies_at=None if dies_at is None else EPOCH + timedelta(microseconds=dies_at),
        )
        for digest, hint, created_at, dies_at in load(text)
    )


def _line(line: Line, unit: Currency) -> dict[str, object]:
    fields: dict[str, object] = {
        "id": line.id,
        "kind": line.kind.value,
        "description": line.description,
        "quantity": _text(line.quantity),
        "unit": line.unit,
        "unit_price": _text(line.unit_price),
        "discount_percent": _text(line.discount_percent),
        "subtotal": _kept_money(line.subtotal, unit),
        "total": _kept_money(line.total, unit),
    }
    if isinstance(line, OrderLine):
        fields["delivered_quantity"] = _text(line.delivered_quantity)
        fields["invoiced_quantity"] = _text(line.invoiced_quantity)
    return {name: value for name, value in fields.items() if value is not None}


def _text(number: Decimal | None) -> str | None:
    """Return a number in plain notation, which is how most of them are written anyway."""
    if number is None:
        return None
    text = str(number)
    return format_decimal(number) if "E" in text else text


_DECIMALS = ("quantity", "unit_price", "discount_percent", "delivered_quantity", "invoiced_quantity")


def _line_fields(kept: dict[str, Any], unit: Currency) -> Mapping[str, Any]:
    kept["kind"] = LineKind(kept["kind"])
    for name in _DECIMALS:
        if name in kept:
            kept[name] = Decimal(kept[name])
    for name in ("subtotal", "total"):
        if name in kept:
            kept[name] = _money(kept[name], unit)
    return kept


def _kept_money(money: Money | None, unit: Currency) -> KeptMoney:
    if money is None:
        return None
    return money.minor if money.currency is unit or money.currency == unit else (money.minor, money.currency.code)


def _money(kept: int | list[Any], unit: Currency) -> Money:
    if isinstance(kept, int):
        return Money(kept, unit)
    minor, code = kept
    return Money(minor, CURRENCIES[code])


def microseconds_of(moment: datetime) -> int:
    """Return how many microseconds after the beginning of 1970 a moment is."""
    return (moment - EPOCH) // _MICROSECOND


def _when(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds_of(moment)
