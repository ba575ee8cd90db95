"""The facts of the system of record in memory."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import final

from attrs import evolve, frozen

from portal_adapters.memory.documents import with_decision
from portal_adapters.memory.tables import Tables
from portal_core.domain.companies import Client, Company
from portal_core.domain.errors import Busy
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.quotes import Quote
from portal_core.domain.records import Document, Fact, RecordRef, RecordType, ref_of, references_of
from portal_core.domain.room import Moved, moved_by
from portal_core.ports import Facts, Intake

_TYPE_ORDER = {kind: place for place, kind in enumerate(RecordType)}


@final
@frozen
class MemoryFacts(Facts):
    tables: Tables

    def find(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Fact]:
        return {ref: fact for ref in refs if (fact := self._find(company_id, ref)) is not None}

    def referrers(self, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
        yield from self._documents_that_refer(company_id, ref)
        for ticket in self.tables.tickets.values():
            about = ticket.document
            named = about is not None and (about.type.value, about.id) == (ref.type.value, ref.id)
            if ticket.company_id == company_id and (named or _is_client(ref, ticket.client_id)):
                yield f"feedback {ticket.id}"
        for grant in self.tables.grants.values():
            named = any((each.type.value, each.id) == (ref.type.value, ref.id) for each in grant.documents or ())
            alive = grant.company_id == company_id and grant.revoked_at is None
            if alive and (named or _is_client(ref, grant.client_id)):
                yield f"token {grant.id}"

    def moved(self, company_id: CompanyId, client_id: ClientId) -> Moved:
        return moved_by(self.tables.ledger_of(company_id, client_id).movements())

    def each(self, company_id: CompanyId | None = None, client_id: ClientId | None = None) -> Iterator[Fact]:
        for owner in sorted(self.tables.companies if company_id is None else [company_id]):
            yield from sorted(self._of_company(owner, client_id), key=_place)

    def _find(self, company_id: CompanyId, ref: RecordRef) -> Fact | None:
        if ref.type is RecordType.COMPANY:
            return self.tables.companies.get(CompanyId(ref.id)) if ref.id == company_id else None
        if ref.type is RecordType.CLIENT:
            return self.tables.clients.get((company_id, ClientId(ref.id)))
        owner = self.tables.owners.get((company_id, ref))
        found = None if owner is None else self.tables.documents_of(company_id, owner)[ref]
        return None if found is None else self._decided(company_id, found)

    def _decided(self, company_id: CompanyId, document: Document) -> Document:
        return with_decision(self.tables, company_id, document) if isinstance(document, Quote) else document

    def _of_company(self, company_id: CompanyId, client_id: ClientId | None) -> Iterator[Fact]:
        if (company := self.tables.companies.get(company_id)) is not None:
            yield company
        for (owner, each), client in self.tables.clients.items():
            if owner == company_id and client_id in {None, each}:
                yield client
                for document in self.tables.documents_of(company_id, each).values():
                    yield self._decided(company_id, document)

    def _documents_that_refer(self, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
        if ref.type is RecordType.COMPANY:
            yield from (f"client {client_id}" for owner, client_id in self.tables.clients if owner == ref.id)
            return
        for (owner, client_id), documents in self.tables.documents.items():
            for each in documents.values() if owner == company_id else ():
                if _is_client(ref, client_id) or any(ref == named for _, named in references_of(each)):
                    own = ref_of(each)
                    yield f"{own.type.value} {own.id}"


@final
@frozen
class MemoryIntake(Intake):
    tables: Tables

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        return self.tables.ledger_of(company_id, client_id)

    def save(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            match fact:
                case Company():
                    self.tables.put(self.tables.companies, fact.id, fact)
                case Client():
                    self.tables.put(self.tables.clients, (fact.company_id, fact.id), fact)
                case Quote():
                    self._save_document(evolve(fact, answer=None, decided_at=None, decision=None))
                case _:
                    self._save_document(fact)

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        """Nobody else is in a transaction."""

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        for ref in refs:
            if ref.type is RecordType.COMPANY:
                self.tables.drop(self.tables.companies, company_id)
            elif ref.type is RecordType.CLIENT:
                self.tables.drop(self.tables.clients, (company_id, ClientId(ref.id)))
            else:
                self._remove_document(company_id, ref)

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        """Nothing is derived ahead of being asked for."""

    def _save_document(self, document: Document) -> None:
        ref = ref_of(document)
        if self.tables.owners.get((document.company_id, ref), document.client_id) != document.client_id:
            raise Busy(f"{ref.type.value} {ref.id} has become another client's meanwhile. Try again in a moment.")
        self.tables.put(self.tables.owners, (document.company_id, ref), document.client_id)
        self.tables.put(self.tables.documents_of(document.company_id, document.client_id), ref, document)
        self.tables.forget_ledger(document.company_id, document.client_id)

    def _remove_document(self, company_id: CompanyId, ref: RecordRef) -> None:
        owner = self.tables.owners.get((company_id, ref))
        if owner is not None:
            self.tables.drop(self.tables.owners, (company_id, ref))
            self.tables.drop(self.tables.documents_of(company_id, owner), ref)
            self.tables.forget_ledger(company_id, owner)


def _is_client(ref: RecordRef, client_id: ClientId) -> bool:
    return ref.type is RecordType.CLIENT and ref.id == client_id


def _place(fact: Fact) -> tuple[int, str]:
    ref = ref_of(fact)
    return (_TYPE_ORDER[ref.type], ref.id)
