"""Ports for what is summed over a client's documents: balances, the account, the dashboard."""

from abc import abstractmethod
from datetime import date
from typing import Protocol, final

from attrs import frozen

from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import RECENT, Dashboard
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.money import Currency
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, ORDER_SORTS, QUOTE_SORTS, Listing
from portal_core.domain.statement import AccountPeriod
from portal_core.ports.documents import Deliveries, Invoices, Orders, Quotes


class Balances(Protocol):
    """What a client owes."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        """Return one balance for each currency in which anything counts, by code, aged as of a day.

        A narrowed scope is not looked at: nobody asks for the balance of some documents.
        """


class Accounts(Protocol):
    """The movements of a client's account."""

    __slots__ = ()

    @abstractmethod
    def periods(
        self, scope: Scope, *, unit: Currency | None, since: date | None, until: date | None, on: date, most: int
    ) -> tuple[AccountPeriod, ...]:
        """Return what `portal_core.domain.statement.periods_of` does, each with at most `most` + 1 movements.

        A statement of account is this one question: it asks for no balances beside it.
        """


class Dashboards(Protocol):
    """What a client sees first, in one question, so that a store can answer it with one statement."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, *, on: date, shown: frozenset[DocumentType], balances: bool) -> Dashboard:
        """Return the newest five of each type that is shown, by the default order of its list, and the balances."""


@final
@frozen
class ComposedDashboards(Dashboards):
    """The dashboard put together from the other ports: the default, and what a faster one must equal."""

    quotes: Quotes
    orders: Orders
    invoices: Invoices
    deliveries: Deliveries
    balances: Balances

    def get(self, scope: Scope, *, on: date, shown: frozenset[DocumentType], balances: bool) -> Dashboard:
        """Ask each port in turn."""
        return Dashboard(
            quotes=self.quotes.page(scope, _newest(QUOTE_SORTS), QuoteFilter(), on=on).items
            if DocumentType.QUOTE in shown
            else None,
            orders=self.orders.page(scope, _newest(ORDER_SORTS), OrderFilter()).items
            if DocumentType.ORDER in shown
            else None,
            invoices=self.invoices.page(scope, _newest(INVOICE_SORTS), InvoiceFilter(), on=on).items
            if DocumentType.INVOICE in shown
            else None,
            deliveries=self.deliveries.page(scope, _newest(DELIVERY_SORTS), DeliveryFilter()).items
            if DocumentType.DELIVERY in shown
            else None,
            balances=self.balances.get(scope, on=on) if balances else None,
        )


def _newest(sorts: tuple[str, ...]) -> Listing:
    # A total that is known already is not counted again; nobody reads this one.
    return Listing(sort=sorts[0], limit=RECENT, total=0)
