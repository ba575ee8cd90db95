"""A store as it is often written: it checks that there is no decision, then writes one, and nothing ties the two."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import cast, final

from attrs import evolve, frozen
from sqlalchemy import Connection, bindparam, insert, text

from portal_adapters.memory.happenings import MemoryDecisions
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.decisions import SqlDecisions
from portal_adapters.sqlalchemy.schema import decisions
from portal_adapters.sqlalchemy.values import dump_evidence
from portal_core.domain.access import Scope
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.ids import QuoteId
from portal_core.domain.quotes import Decision, Quote
from portal_core.ports import Store, Transactions
from tests.adapters.mutants import but

ROUND_TRIP = 0.001
"""How long it takes to ask a database on another machine."""

Insert = Callable[[Store, Decision], None]

_INSERT = insert(decisions).values({column.name: bindparam(column.name, type_=column.type) for column in decisions.c})


def naive_within(store: Store) -> Store:
    """Return a store that checks, then acts, in one transaction: as at READ COMMITTED."""

    def record(quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        found = store.quotes.get(Scope(quote.company_id, quote.client_id), quote.id)
        if found is None or found.answer is not None:
            return False
        insert_sql(store, decision)
        store.events.append(event)
        store.audit.append(entry)
        return True

    return evolve(store, decisions=but(store.decisions, record=record))


@final
@frozen
class NaiveWithin(Transactions):
    """Transactions of stores that check, then act."""

    honest: Transactions

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.honest.begin() as store:
            yield naive_within(store)


@final
@frozen
class NaiveApart(Transactions):
    """The check is one transaction, the act is another, as where nobody thinks of transactions."""

    honest: Transactions
    insert: Insert

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.honest.begin() as store:
            pass
        yield evolve(
            store,
            quotes=but(store.quotes, get=self._get),
            decisions=but(store.decisions, record=self._record),
        )

    def _get(self, scope: Scope, quote_id: QuoteId) -> Quote | None:
        with self.honest.begin() as store:
            return store.quotes.get(scope, quote_id)

    def _record(self, quote: Quote, decision: Decision, event: Event, _: AuditEntry) -> bool:
        found = self._get(Scope(quote.company_id, quote.client_id), quote.id)
        if found is None or found.answer is not None:
            return False
        time.sleep(ROUND_TRIP)
        with self.honest.begin() as store:
            self.insert(store, decision)
            store.events.append(event)
        return True


def insert_sql(store: Store, decision: Decision) -> None:
    """Write a decision, whatever else there is."""
    row = {column.name: getattr(decision, column.name) for column in decisions.c if column.name != "evidence"}
    _connection(store).execute(_INSERT, {**row, "evidence": dump_evidence(decision.evidence)})


def put_in_memory(store: Store, decision: Decision) -> None:
    """Write a decision, over the one that is there."""
    tables = cast("MemoryDecisions", store.decisions).tables
    tables.put(tables.decisions, (decision.company_id, decision.quote_id, decision.revision), decision)


def without_uniqueness(transactions: Transactions) -> None:
    """Take the table of decisions its keys."""
    engine = cast("SqlTransactions", transactions).engine
    with engine.begin() as connection:
        for statement in _STATEMENTS[engine.dialect.name]:
            connection.execute(text(statement))


_STATEMENTS = {
    "sqlite": (
        "ALTER TABLE portal_decisions RENAME TO keyed",
        "CREATE TABLE portal_decisions AS SELECT * FROM keyed",
        "DROP TABLE keyed",
    ),
    "postgresql": ("ALTER TABLE portal_decisions DROP CONSTRAINT portal_one_decision_per_revision",),
}


def _connection(store: Store) -> Connection:
    return cast("SqlDecisions", store.decisions).connection
