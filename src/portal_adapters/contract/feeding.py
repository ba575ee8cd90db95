"""How facts get into a store: saved, removed and settled together, as an import does it."""

from collections.abc import Collection, Iterator
from itertools import groupby

from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    OTHER_COMPANY,
    SCOPE,
    STRANGER,
    a_client,
    a_company,
    an_audit_entry,
    an_event,
)
from portal_core.domain.access import Scope
from portal_core.domain.companies import Client, Company
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Decision, Quote
from portal_core.domain.records import Document, Fact, RecordRef, RecordType, client_of, ref_of, references_of
from portal_core.ports import Store, Transactions

PEOPLE = (a_company(COMPANY), a_company(OTHER_COMPANY), a_client(SCOPE), a_client(NEIGHBOUR), a_client(STRANGER))
"""Two companies and three clients: those of SCOPE, of its NEIGHBOUR and of a STRANGER."""


def prepare(transactions: Transactions, *facts: Fact) -> None:
    """Commit PEOPLE and some facts."""
    with transactions.begin() as store:
        feed(store, *PEOPLE, *facts)


def feed(store: Store, *facts: Fact) -> None:
    """Save facts of any companies and clients, and settle what they change."""
    for company_id, owned in groupby(sorted(facts, key=_company), key=_company):
        change(store, company_id, saved=tuple(owned))


def keep_decision(store: Store, quote: Quote, decision: Decision) -> bool:
    """Record a decision with an event and an entry of the audit log, whose ids are the decision's."""
    scope = Scope(decision.company_id, decision.client_id)
    event, entry = an_event(decision.id, scope=scope), an_audit_entry(decision.id, scope=scope)
    return store.decisions.record(quote, decision, event, entry)


def forget(store: Store, company_id: CompanyId, *refs: RecordRef) -> None:
    """Remove facts, and settle what that changes."""
    change(store, company_id, removed=refs)


def change(
    store: Store, company_id: CompanyId, *, saved: Collection[Fact] = (), removed: Collection[RecordRef] = ()
) -> None:
    """Save and remove facts of one company, and settle what that changes for each of its clients."""
    refs = [*removed, *(ref_of(fact) for fact in saved)]
    changing = [*store.facts.find(company_id, refs).values(), *saved]
    around = {client_id: set(_settling(changing, client_id)) for client_id in _clients(changing)}
    before = {each: store.intake.ledger(company_id, each, touched) for each, touched in around.items()}
    store.intake.save(saved)
    store.intake.remove(company_id, removed)
    for each, touched in around.items():
        after = store.intake.ledger(company_id, each, touched)
        store.intake.settle(company_id, each, before=before[each], after=after)


def replace(store: Store, scope: Scope, documents: Collection[Document]) -> None:
    """Make these the documents of a client, and remove all others of theirs."""
    kept = {ref_of(fact) for fact in store.facts.each(scope.company_id, scope.client_id)}
    parties = {RecordRef(RecordType.COMPANY, scope.company_id), RecordRef(RecordType.CLIENT, scope.client_id)}
    change(store, scope.company_id, saved=documents, removed=kept - parties - {ref_of(each) for each in documents})


def _clients(facts: Collection[Fact]) -> set[ClientId]:
    return {client_id for fact in facts if _counts(fact) and (client_id := client_of(fact)) is not None}


def _settling(facts: Collection[Fact], client_id: ClientId) -> Iterator[RecordRef]:
    for fact in facts:
        if _counts(fact) and client_of(fact) == client_id:
            yield ref_of(fact)
            yield from (ref for pointer, ref in references_of(fact) if pointer.startswith("/allocations"))


def _counts(fact: Fact) -> bool:
    return isinstance(fact, Invoice | Payment)


def _company(fact: Fact) -> CompanyId:
    match fact:
        case Company():
            return fact.id
        case Client():
            return fact.company_id
        case _:
            return fact.company_id
