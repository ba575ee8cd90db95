"""What a client's changed records settle: the ledger before and after, and where the two leave a disagreement."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

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
class RecordFault:
    """A rule that a record breaks: which record, where in it (a JSON pointer, empty for the whole), and why.

    A record that is kept and does not change breaks one because of a record that does.
    """

    ref: RecordRef
    pointer: str
    detail: str
    because_of: RecordRef | None = None


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

    def settling_refs(self) -> set[RecordRef]:
        """Return the changed invoices and payments, and what they are to settle."""
        kinds = (RecordType.INVOICE, RecordType.PAYMENT)
        own = {ref for ref in (*self.replaced, *self.deleted) if ref.type in kinds}
        named = _targets((*self.invoices.values(), *self.payments.values()))
        return own | {RecordRef(RecordType.INVOICE, each) for each in named}

    def changes(self, kind: RecordType, record_id: str) -> bool:
        """Tell whether a record is replaced or deleted."""
        ref = RecordRef(kind, record_id)
        return ref in self.replaced or ref in self.deleted


@frozen(kw_only=True)
class Settling:
    """The ledger as it was and as it is to be, right about all that changed and all that it touches."""

    before: Ledger
    after: Ledger
    changed: Changed
    touched_invoices: Collection[InvoiceId]
    touched_payments: Collection[PaymentId]
    moved: Moved
    """What moved on the client's account before; nothing where nothing settles."""

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
    def _causes(self) -> Mapping[RecordRef, RecordRef]:
        """The first change that touches each document: what settles it, or what it settles."""
        causes: dict[RecordRef, RecordRef] = {}
        for ref in (*self.changed.replaced, *self.changed.deleted):
            for target in (*_settled_by(self.before, ref), *_settled_by(self.after, ref)):
                causes.setdefault(target, ref)
        for each in _documents(self.after):
            for invoice_id in _targets([each]):
                if self.changed.changes(RecordType.INVOICE, invoice_id):
                    causes.setdefault(_ref(each), RecordRef(RecordType.INVOICE, invoice_id))
        return causes


def settling_of(store: Store, changed: Changed) -> Settling:
    """Return the ledgers around a client's changes; of a client who is not kept yet, there was nothing before."""
    around = changed.settling_refs()
    owner = changed.company_id, changed.client_id
    # Asked for even where nothing settles: whoever asks has the client's turn, before anything else is read.
    before = store.intake.ledger(*owner, ())
    is_known = bool(around) and store.clients.get(*owner) is not None
    if is_known:
        before = store.intake.ledger(*owner, around)
    dependants = list(_dependants(before, changed))
    if any(target not in before.invoices for target in _targets(dependants)):
        around |= {_ref(each) for each in dependants}
        before = store.intake.ledger(*owner, around)
    settled = _targets(_changed_documents(before, changed))
    return Settling(
        before=before,
        after=_after(before, changed),
        changed=changed,
        touched_invoices={InvoiceId(ref.id) for ref in around if ref.type is RecordType.INVOICE}
        | {each.id for each in dependants if isinstance(each, Invoice)}
        | set(settled),
        touched_payments={PaymentId(ref.id) for ref in around if ref.type is RecordType.PAYMENT}
        | {each.id for each in dependants if isinstance(each, Payment)},
        moved=store.facts.moved(*owner) if is_known else {},
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


def _targets(documents: Iterable[Invoice | Payment]) -> set[InvoiceId]:
    return {part.invoice_id for each in documents for part in each.allocations}


def _ref(document: Invoice | Payment) -> RecordRef:
    kind = RecordType.INVOICE if isinstance(document, Invoice) else RecordType.PAYMENT
    return RecordRef(kind, document.id)


def _settled_by(ledger: Ledger, ref: RecordRef) -> Iterator[RecordRef]:
    document: Invoice | Payment | None = None
    if ref.type is RecordType.INVOICE:
        document = ledger.invoices.get(InvoiceId(ref.id))
    elif ref.type is RecordType.PAYMENT:
        document = ledger.payments.get(PaymentId(ref.id))
    for part in () if document is None else document.allocations:
        yield RecordRef(RecordType.INVOICE, part.invoice_id)
