"""How much may move on one client's account: any sum of it fits into 64 bits, in whatever order it is added up."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from attrs import frozen

from portal_core.domain.access import DocumentType
from portal_core.domain.agreement import Fault
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Currency
from portal_core.domain.payments import Payment
from portal_core.domain.statement import Movement

MOST_MOVED = 9_000_000_000_000_000_000
"""How many minor units may move in one currency, debits and credits together."""

Moved: TypeAlias = Mapping[Currency, int]
"""How many minor units move in each currency, debits and credits together."""


@frozen
class Step:
    """A document that settles or is settled, as it was and as it is to be."""

    before: Invoice | Payment | None
    after: Invoice | Payment | None


def moved_by(movements: Iterable[Movement]) -> Counter[Currency]:
    """Add up movements by currency, debits and credits together."""
    moved = Counter[Currency]()
    for each in movements:
        moved[each.amount.currency] += abs(each.amount.minor)
    return moved


def faults_of_room(
    before: Ledger, after: Ledger, moved_before: Callable[[], Moved], steps: Callable[[], Iterable[Step]]
) -> Iterator[Fault]:
    """Yield, for each currency in which too much would move, the document that adds the most to it.

    `steps` yields every document whose movements may differ between the two ledgers; what moved before is asked
    for where any may move more.
    """
    most = sum(map(_at_most, steps()))
    if not most:
        return
    moved = moved_before()
    if max(moved.values(), default=0) + most <= MOST_MOVED:
        return
    grown = [(each.after, _growth(before, after, each)) for each in steps()]
    for unit in sorted({unit for _, growth in grown for unit in growth}, key=lambda each: each.code):
        more = sum(growth[unit] for _, growth in grown)
        total = moved.get(unit, 0) + more
        if more > 0 and total > MOST_MOVED:
            there = ((document, growth[unit]) for document, growth in grown if document is not None)
            document, _ = max(there, key=lambda each: each[1])
            yield _fault(document, unit, total)


def _at_most(step: Step) -> int:
    """Return at least as much as a document moves more than before, all currencies taken together."""
    document = step.after
    if document is None or (document == step.before and not _converts(document)):
        return 0
    if isinstance(document, Invoice):
        return abs(document.total.minor) + sum(abs(part.amount.minor) for part in document.adjustments)
    return abs(document.amount.minor) + sum(
        abs(part.amount.minor) + abs(part.used.minor) for part in document.allocations
    )


def _converts(document: Invoice | Payment) -> bool:
    """Tell whether what a document moves depends on others, too: between two currencies an allocation moves both."""
    return isinstance(document, Payment) and any(part.payment_amount is not None for part in document.allocations)


def _growth(before: Ledger, after: Ledger, step: Step) -> Counter[Currency]:
    growth = moved_by(_movements(after, step.after))
    growth.subtract(moved_by(_movements(before, step.before)))
    return growth


def _movements(ledger: Ledger, document: Invoice | Payment | None) -> Iterable[Movement]:
    if document is None:
        return ()
    if isinstance(document, Invoice):
        return ledger.movements_of_invoice(document)
    return ledger.movements_of_payment(document)


def _fault(document: Invoice | Payment, unit: Currency, total: int) -> Fault:
    detail = (
        f"{total:,} minor units would move on the client's {unit.code} account, debits and credits together, "
        f"and no more than {MOST_MOVED:,} can be added up exactly"
    )
    if isinstance(document, Invoice):
        return Fault(DocumentType.INVOICE, document.id, "/total", detail)
    return Fault(DocumentType.PAYMENT, document.id, "/amount", detail)
