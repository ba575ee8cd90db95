"""What a client's changed records settle: the ledger before and after, and where the two leave a disagreement."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TypeAlias

from attrs import define, field, frozen

from portal_core.domain.agreement import Claim, Fault, faults_of_claim, faults_of_invoice, faults_of_payment
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId, PaymentId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment
from portal_core.domain.records import RecordRef, RecordType
from portal_core.domain.room import Moved, Step, faults_of_room
from portal_core.ports import Store


@frozen
class Cause:
    """A record that changes, and where in it (a JSON pointer, empty for the whole) it touches one that does not."""

    ref: RecordRef
    pointer: str = ""


@frozen
class RecordFault:
    """A rule that a record breaks: which record, where in it (a JSON pointer, empty for the whole), and why.

    A record that is kept and does not change breaks one because of a record that does.
    """

    ref: RecordRef
    pointer: str
    detail: str
    because_of: Cause | None = None


_Touch: TypeAlias = tuple[RecordRef, Cause, bool]
"""A document, what touches it, and whether more is given by that than before."""


@define(kw_only=True)
class Changed:
    """What is known of one client's changes after reading them once: every id, and what settles or is settled."""

    company_id: CompanyId
    client_id: ClientId
    replaced: dict[RecordRef, None] = field(factory=dict[RecordRef, None])
    deleted: dict[RecordRef, None] = field(factory=dict[RecordRef, None])
    invoices: dict[InvoiceId, Invoice] = field(factory=dict[InvoiceId, Invoice])
    payments: dict[PaymentId, Payment] = field(factory=dict[PaymentId, Payment])
    claims: dict[InvoiceId, Claim] = field(factory=dict[InvoiceId, Claim])

    @property
    def client(self) -> RecordRef:
        """The client itself, as a record."""
        return RecordRef(RecordType.CLIENT, self.client_id)

    def replace(self, ref: RecordRef, settling: Invoice | Payment | None, claim: Claim | None) -> None:
        """Take note of a record that is new or changed, and of what of it settles others or is settled."""
        self.replaced[ref] = None
        if isinstance(settling, Invoice):
            self.invoices[settling.id] = settling
            if claim is not None:
                self.claims[settling.id] = claim
        elif settling is not None:
            self.payments[settling.id] = settling

    def delete(self, ref: RecordRef) -> None:
        """Take note of a fact that is to go."""
        self.deleted[ref] = None

    def settling_refs(self) -> dict[RecordRef, None]:
        """Return the changed invoices and payments, and what they are to settle, in the order of the changes."""
        kinds = (RecordType.INVOICE, RecordType.PAYMENT)
        own = (ref for ref in (*self.replaced, *self.deleted) if ref.type in kinds)
        named = _targets((*self.invoices.values(), *self.payments.values()))
        return dict.fromkeys([*own, *map(_invoice, named)])

    def changes(self, kind: RecordType, record_id: str) -> bool:
        """Tell whether a record is replaced or deleted."""
        ref = RecordRef(kind, record_id)
        return ref in self.replaced or ref in self.deleted


@frozen(kw_only=True)
class Settling:
    """The ledger as it was and as it is to be, right about all that changed and all that it touches.

    What is touched is in the order of the changes, and so are the faults: which are told first is no matter of chance.
    """

    before: Ledger
    after: Ledger
    changed: Changed
    touched_invoices: Collection[InvoiceId]
    touched_payments: Collection[PaymentId]
    moved: Callable[[], Moved]
    """Asks what moved on the client's account before."""

    def faults(self) -> Iterator[RecordFault]:
        """Yield what the changed documents break, and those that they settle, settled, or are settled by."""
        for invoice_id in self.touched_invoices:
            invoice = self.after.invoices.get(invoice_id)
            if invoice is not None:
                yield from map(self._fault, faults_of_invoice(self.after, invoice))
        for invoice_id, claim in self.changed.claims.items():
            yield from map(self._fault, faults_of_claim(self.after, self.after.invoices[invoice_id], claim))
        for payment_id in self.touched_payments:
            payment = self.after.payments.get(payment_id)
            if payment is not None:
                yield from map(self._fault, faults_of_payment(self.after, payment))
        yield from map(self._fault, faults_of_room(self.before, self.after, self.moved, self._steps))

    def _steps(self) -> Iterator[Step]:
        for invoice_id in self.touched_invoices:
            yield Step(self.before.invoices.get(invoice_id), self.after.invoices.get(invoice_id))
        for payment_id in self.touched_payments:
            yield Step(self.before.payments.get(payment_id), self.after.payments.get(payment_id))

    def _fault(self, fault: Fault) -> RecordFault:
        ref = RecordRef(RecordType(fault.type.value), fault.id)
        cause = None if ref in self.changed.replaced else self._causes.get(ref)
        return RecordFault(ref, fault.pointer, fault.detail, cause)

    @cached_property
    def _causes(self) -> Mapping[RecordRef, Cause]:
        """What is to blame for each document: the first change that gives more, else the first that touches it."""
        touching: dict[RecordRef, Cause] = {}
        giving: dict[RecordRef, Cause] = {}
        for ref, cause, more in (*self._changed_givers(), *self._changed_takers()):
            touching.setdefault(ref, cause)
            if more:
                giving.setdefault(ref, cause)
        return touching | giving

    def _changed_givers(self) -> Iterator[_Touch]:
        for ref in (*self.changed.replaced, *self.changed.deleted):
            was, now = _document(self.before, ref), _document(self.after, ref)
            before, after = _given(self.before, was), _given(self.after, now)
            pointers = _pointers(now)
            for target, amount in after.items():
                yield _invoice(target), Cause(ref, pointers[target]), amount > before.get(target, 0)
            for target in before.keys() - after.keys():
                yield _invoice(target), Cause(ref), False

    def _changed_takers(self) -> Iterator[_Touch]:
        for each in _documents(self.after):
            ref = _ref(each)
            before = _given(self.before, _document(self.before, ref))
            for target, amount in _given(self.after, each).items():
                if self.changed.changes(RecordType.INVOICE, target):
                    yield ref, Cause(_invoice(target)), amount > before.get(target, 0)


def settlings_of(
    store: Store, changes: Sequence[Changed], *, known: Collection[ClientId]
) -> Mapping[ClientId, Settling]:
    """Return the ledgers around some clients' changes; of a client who is not known yet, there was nothing before."""
    around = {each.client_id: each.settling_refs() for each in changes}
    before = {each.client_id: Ledger((), ()) for each in changes}
    before |= _ledgers(store, changes, {each: refs for each, refs in around.items() if refs and each in known})
    dependants = {each.client_id: list(_dependants(before[each.client_id], each)) for each in changes}
    further: dict[ClientId, dict[RecordRef, None]] = {}
    for client_id, some in dependants.items():
        if any(target not in before[client_id].invoices for target in _targets(some)):
            further[client_id] = around[client_id] = around[client_id] | dict.fromkeys(map(_ref, some))
    before |= _ledgers(store, changes, further)
    return {
        each.client_id: _settling(
            store,
            each,
            before[each.client_id],
            touched=around[each.client_id] | dict.fromkeys(map(_ref, dependants[each.client_id])),
            is_known=each.client_id in known,
        )
        for each in changes
    }


def settling_of_newcomer(changed: Changed) -> Settling:
    """Return the ledgers around the records of a client of whom nothing is kept."""
    before = Ledger((), ())
    return Settling(
        before=before,
        after=_after(before, changed),
        changed=changed,
        touched_invoices=changed.invoices,
        touched_payments=changed.payments,
        moved=dict,
    )


def _ledgers(
    store: Store, changes: Sequence[Changed], around: Mapping[ClientId, Collection[RecordRef]]
) -> Mapping[ClientId, Ledger]:
    return store.intake.ledgers(changes[0].company_id, around) if around else {}


def _settling(
    store: Store, changed: Changed, before: Ledger, *, touched: Collection[RecordRef], is_known: bool
) -> Settling:
    owner = changed.company_id, changed.client_id
    settled = _targets(_changed_documents(before, changed))
    return Settling(
        before=before,
        after=_after(before, changed),
        changed=changed,
        touched_invoices={InvoiceId(ref.id): None for ref in touched if ref.type is RecordType.INVOICE} | settled,
        touched_payments={PaymentId(ref.id): None for ref in touched if ref.type is RecordType.PAYMENT},
        moved=partial(store.facts.moved, *owner) if is_known else dict,
    )


def _after(before: Ledger, changed: Changed) -> Ledger:
    invoices = {**before.invoices, **changed.invoices}
    payments = {**before.payments, **changed.payments}
    for ref in changed.deleted:
        if ref.type is RecordType.INVOICE:
            invoices.pop(InvoiceId(ref.id), None)
        elif ref.type is RecordType.PAYMENT:
            payments.pop(PaymentId(ref.id), None)
    return Ledger(invoices.values(), payments.values())


def _dependants(before: Ledger, changed: Changed) -> Iterator[Invoice | Payment]:
    """Yield what does not change but allocates to an invoice that does.

    What allocates to a deleted one is left to the rule that nothing may refer to what is deleted.
    """
    for each in _documents(before):
        targets = {part.invoice_id for part in each.allocations}
        if targets.isdisjoint(changed.invoices) or changed.changes(_ref(each).type, each.id):
            continue
        if not any(RecordRef(RecordType.INVOICE, target) in changed.deleted for target in targets):
            yield each


def _changed_documents(ledger: Ledger, changed: Changed) -> Iterator[Invoice | Payment]:
    for each in _documents(ledger):
        if each.allocations and changed.changes(_ref(each).type, each.id):
            yield each


def _documents(ledger: Ledger) -> Iterator[Invoice | Payment]:
    yield from ledger.invoices.values()
    yield from ledger.payments.values()


def _targets(documents: Iterable[Invoice | Payment]) -> dict[InvoiceId, None]:
    return {part.invoice_id: None for each in documents for part in each.allocations}


def _ref(document: Invoice | Payment) -> RecordRef:
    kind = RecordType.INVOICE if isinstance(document, Invoice) else RecordType.PAYMENT
    return RecordRef(kind, document.id)


def _invoice(invoice_id: InvoiceId) -> RecordRef:
    return RecordRef(RecordType.INVOICE, invoice_id)


def _document(ledger: Ledger, ref: RecordRef) -> Invoice | Payment | None:
    if ref.type is RecordType.INVOICE:
        return ledger.invoices.get(InvoiceId(ref.id))
    return ledger.payments.get(PaymentId(ref.id)) if ref.type is RecordType.PAYMENT else None


def _pointers(document: Invoice | Payment | None) -> dict[InvoiceId, str]:
    """Return where a document allocates to each other."""
    if document is None:
        return {}
    targets = [part.invoice_id for part in document.allocations]
    return {target: f"/allocations/{place}" for place, target in enumerate(targets)}


def _given(ledger: Ledger, document: Invoice | Payment | None) -> dict[InvoiceId, int]:
    """Return how much of what a document allocates to each other counts, in the order of its allocations."""
    if document is None:
        return {}
    given = {part.invoice_id: 0 for part in document.allocations}
    for part in ledger.payment_given(document) if isinstance(document, Payment) else ledger.credit_given(document):
        given[part.invoice_id] += part.amount.minor
    return given
