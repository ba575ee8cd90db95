"""The store in SQL, and its transactions."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import final

from attrs import frozen
from sqlalchemy import Connection, Engine

from portal_adapters.sqlalchemy.access import SqlClients, SqlCompanies, SqlGrants, SqlLinks
from portal_adapters.sqlalchemy.answers import SqlAnswers
from portal_adapters.sqlalchemy.decisions import SqlDecisions
from portal_adapters.sqlalchemy.deliveries import SqlDeliveries
from portal_adapters.sqlalchemy.engine import READING
from portal_adapters.sqlalchemy.events import SqlEvents
from portal_adapters.sqlalchemy.facts import SqlFacts
from portal_adapters.sqlalchemy.intake import SqlIntake
from portal_adapters.sqlalchemy.invoices import SqlInvoices
from portal_adapters.sqlalchemy.orders import SqlOrders
from portal_adapters.sqlalchemy.overview import SqlAccounts, SqlBalances
from portal_adapters.sqlalchemy.payments import SqlPayments
from portal_adapters.sqlalchemy.quotes import SqlQuotes
from portal_adapters.sqlalchemy.tickets import SqlTickets
from portal_core.ports import ComposedDashboards, Mint, Store, Transactions


def store_on(connection: Connection, mint: Mint) -> Store:
    """Return a store within the transaction that a connection is in: whoever began it commits it or rolls it back."""
    quotes, orders, invoices = SqlQuotes(connection), SqlOrders(connection), SqlInvoices(connection)
    deliveries, balances = SqlDeliveries(connection), SqlBalances(connection)
    return Store(
        companies=SqlCompanies(connection),
        clients=SqlClients(connection),
        grants=SqlGrants(connection),
        links=SqlLinks(connection),
        quotes=quotes,
        orders=orders,
        deliveries=deliveries,
        invoices=invoices,
        payments=SqlPayments(connection),
        balances=balances,
        accounts=SqlAccounts(connection),
        dashboards=ComposedDashboards(quotes, orders, invoices, deliveries, balances),
        decisions=SqlDecisions(connection),
        tickets=SqlTickets(connection),
        events=SqlEvents(connection),
        answers=SqlAnswers(connection),
        facts=SqlFacts(connection),
        intake=SqlIntake(connection),
        mint=mint,
    )


@final
@frozen
class SqlTransactions(Transactions):
    """Transactions on an engine, each on a connection of its own; in any thread."""

    engine: Engine
    mint: Mint

    @contextmanager
    def begin(self) -> Generator[Store]:
        """Begin a transaction that may write; Busy when it cannot have its lock in time, or cannot commit."""
        with self.engine.begin() as connection:
            yield store_on(connection, self.mint)

    @contextmanager
    def read(self) -> Generator[Store]:
        """Begin a transaction that only reads, and sees one state of the store throughout."""
        with self.engine.connect().execution_options(**{READING: True}) as connection:
            yield store_on(connection, self.mint)
