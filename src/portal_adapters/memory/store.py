"""Dictionaries behind one lock, with real commits and rollbacks."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import final

from attrs import field, frozen

from portal_adapters.memory.access import MemoryClients, MemoryCompanies, MemoryGrants, MemoryLinks
from portal_adapters.memory.documents import (
    MemoryAccounts,
    MemoryBalances,
    MemoryDeliveries,
    MemoryInvoices,
    MemoryOrders,
    MemoryPayments,
    MemoryQuotes,
)
from portal_adapters.memory.facts import MemoryFacts, MemoryIntake
from portal_adapters.memory.files import MemoryAttachments, MemoryDocuments
from portal_adapters.memory.happenings import (
    MemoryAnswers,
    MemoryAuditLog,
    MemoryDecisions,
    MemoryEvents,
    MemoryTickets,
)
from portal_adapters.memory.outbox import MemoryDispatches, MemoryOutbox, MemoryWebhooks
from portal_adapters.memory.tables import Tables
from portal_core.ports import ComposedDashboards, Mint, Store, Transactions


@final
@frozen
class MemoryTransactions(Transactions):
    """A store that lives as long as its process: transactions come one after the other, in any thread."""

    mint: Mint
    _tables: Tables = field(factory=Tables, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @contextmanager
    def begin(self) -> Generator[Store]:
        """Wait for the transactions before, then keep all that is written or nothing."""
        with self._lock:
            try:
                yield _store(self._tables, self.mint)
            except BaseException:
                self._tables.roll_back()
                raise
            self._tables.commit()


def _store(tables: Tables, mint: Mint) -> Store:
    quotes, orders, invoices = MemoryQuotes(tables), MemoryOrders(tables), MemoryInvoices(tables)
    deliveries, balances = MemoryDeliveries(tables), MemoryBalances(tables)
    return Store(
        companies=MemoryCompanies(tables),
        clients=MemoryClients(tables),
        grants=MemoryGrants(tables),
        links=MemoryLinks(tables),
        quotes=quotes,
        orders=orders,
        deliveries=deliveries,
        invoices=invoices,
        payments=MemoryPayments(tables),
        balances=balances,
        accounts=MemoryAccounts(tables),
        dashboards=ComposedDashboards(quotes, orders, invoices, deliveries, balances),
        documents=MemoryDocuments(tables),
        attachments=MemoryAttachments(tables),
        decisions=MemoryDecisions(tables),
        tickets=MemoryTickets(tables),
        events=MemoryEvents(tables),
        audit=MemoryAuditLog(tables),
        answers=MemoryAnswers(tables),
        webhooks=MemoryWebhooks(tables),
        dispatches=MemoryDispatches(tables),
        outbox=MemoryOutbox(tables),
        facts=MemoryFacts(tables),
        intake=MemoryIntake(tables),
        mint=mint,
    )
