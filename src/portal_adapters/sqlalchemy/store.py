"""The store in SQL, and its transactions."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias, final

from attrs import frozen
from sqlalchemy import Connection, Engine

from portal_adapters.sqlalchemy.access import SqlClients, SqlCompanies, SqlGrants, SqlLinks
from portal_adapters.sqlalchemy.accounts import SqlAccounts
from portal_adapters.sqlalchemy.answers import SqlAnswers
from portal_adapters.sqlalchemy.audit import SqlAuditLog
from portal_adapters.sqlalchemy.balances import SqlBalances
from portal_adapters.sqlalchemy.decisions import SqlDecisions
from portal_adapters.sqlalchemy.deliveries import SqlDeliveries
from portal_adapters.sqlalchemy.dialects import connected, of_one_state
from portal_adapters.sqlalchemy.dispatches import SqlDispatches
from portal_adapters.sqlalchemy.events import SqlEvents
from portal_adapters.sqlalchemy.facts import SqlFacts
from portal_adapters.sqlalchemy.files import SqlAttachments, SqlDocuments
from portal_adapters.sqlalchemy.intake import SqlIntake
from portal_adapters.sqlalchemy.invoices import SqlInvoices
from portal_adapters.sqlalchemy.orders import SqlOrders
from portal_adapters.sqlalchemy.outbox import SqlOutbox
from portal_adapters.sqlalchemy.overview import SqlDashboards
from portal_adapters.sqlalchemy.payments import SqlPayments
from portal_adapters.sqlalchemy.quotes import SqlQuotes
from portal_adapters.sqlalchemy.tickets import SqlTickets
from portal_adapters.sqlalchemy.webhooks import SqlWebhooks
from portal_core.ports import Mint, Store, Transactions


def store_on(connection: Connection, mint: Mint) -> Store:
    """Return a store within the transaction that a connection is in: whoever began it commits it or rolls it back."""
    return Store(
        companies=SqlCompanies(connection),
        clients=SqlClients(connection),
        grants=SqlGrants(connection),
        links=SqlLinks(connection),
        quotes=SqlQuotes(connection),
        orders=SqlOrders(connection),
        deliveries=SqlDeliveries(connection),
        invoices=SqlInvoices(connection),
        payments=SqlPayments(connection),
        balances=SqlBalances(connection),
        accounts=SqlAccounts(connection),
        dashboards=SqlDashboards(connection),
        documents=SqlDocuments(connection),
        attachments=SqlAttachments(connection),
        decisions=SqlDecisions(connection),
        tickets=SqlTickets(connection),
        events=SqlEvents(connection),
        audit=SqlAuditLog(connection),
        answers=SqlAnswers(connection),
        webhooks=SqlWebhooks(connection),
        dispatches=SqlDispatches(connection),
        outbox=SqlOutbox(connection),
        facts=SqlFacts(connection),
        intake=SqlIntake(connection),
        mint=mint,
    )


StoreOn: TypeAlias = Callable[[Connection, Mint], Store]
"""What makes the store on a connection: `store_on`, or a function of a host's that mixes in ports of its own.

The runners keep connections, each with its store, for one transaction after the other: its ports remember nothing.
"""


@final
@frozen
class SqlTransactions(Transactions):
    """Transactions on an engine, each on a connection of its own; in any thread."""

    engine: Engine
    mint: Mint
    store_on: StoreOn = store_on

    @contextmanager
    def begin(self) -> Generator[Store]:
        """Begin a transaction that may write; Busy when it cannot have its lock in time, or cannot commit."""
        with connected(self.engine) as connection, connection.begin():
            yield self.store_on(connection, self.mint)

    @contextmanager
    def read(self) -> Generator[Store]:
        """Begin a transaction that only reads, and sees one state of the store throughout."""
        with connected(self.engine).execution_options(**of_one_state(self.engine)) as connection:
            yield self.store_on(connection, self.mint)
