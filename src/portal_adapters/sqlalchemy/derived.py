"""What follows from a ledger about one document, and is kept so that nobody has to work it out again."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from portal_core.domain.balance import OpenAmount
from portal_core.domain.invoices import Invoice, instalments_due, oldest_open_day
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment
from portal_core.domain.records import RecordRef, RecordType, ref_of
from portal_core.domain.statement import Movement

Settling: TypeAlias = Invoice | Payment
"""A document that settles others or is settled."""

Held: TypeAlias = Mapping[RecordRef, Settling]
"""The documents of a ledger by type and id."""


DERIVED: Mapping[RecordType, tuple[str, ...]] = {
    RecordType.INVOICE: ("amount_due", "payment_state", "oldest_due_on"),
    RecordType.PAYMENT: ("unallocated",),
}
"""The columns that follow from a ledger."""

MOVEMENT_PLACE = ("company_id", "client_id", "currency", "moved_on", "type", "id", "sequence")

MOVEMENT = (*MOVEMENT_PLACE, "number", "amount")
"""The columns of a movement."""


@frozen(kw_only=True)
class Derived:
    """A document's derived columns as a row takes them, which of its allocations count, what it adds to the account."""

    columns: tuple[Any, ...]
    counts: tuple[bool, ...]
    open_amounts: tuple[OpenAmount, ...]
    movements: tuple[Movement, ...]


def held_by(ledger: Ledger) -> dict[RecordRef, Settling]:
    """Return all documents of a ledger."""
    documents: list[Settling] = [*ledger.invoices.values(), *ledger.payments.values()]
    return {ref_of(document): document for document in documents}


def derived_of(ledger: Ledger, document: Settling) -> Derived:
    """Return what follows from a ledger about one of its documents."""
    if isinstance(document, Payment):
        given = ledger.payment_given(document)
        return Derived(
            columns=(ledger.unallocated(document).minor,),
            counts=tuple(part in given for part in document.allocations),
            open_amounts=tuple(ledger.open_amounts_of_payment(document)),
            movements=tuple(ledger.movements_of_payment(document)),
        )
    credit = ledger.credit_given(document)
    return Derived(
        columns=_columns_of_invoice(ledger, document),
        counts=tuple(part in credit for part in document.allocations),
        open_amounts=tuple(ledger.open_amounts_of_invoice(document)),
        movements=tuple(ledger.movements_of_invoice(document)),
    )


def place_of(movement: Movement) -> tuple[str, str, str, str, int]:
    """Return where a movement stands in a client's account: the values of MOVEMENT_PLACE."""
    return (
        movement.amount.currency.code,
        movement.on.isoformat(),
        movement.type.value,
        movement.id,
        movement.sequence,
    )


def due_of(part: OpenAmount) -> tuple[str, str]:
    """Return the currency and the day by which something open is added up, the latter empty for a credit."""
    return part.amount.currency.code, part.due_on.isoformat() if part.due_on else ""


def _columns_of_invoice(ledger: Ledger, invoice: Invoice) -> tuple[int, str, str | None]:
    """Return what is due, the payment state, and the oldest day on which something is due."""
    due = ledger.amount_due(invoice)
    oldest = oldest_open_day(instalments_due(invoice.schedule(), due)) if due else None
    return due.minor, invoice.payment_state(due).value, None if oldest is None else oldest.isoformat()
