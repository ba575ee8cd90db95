"""Ports for what is summed over a client's documents: balances, the account, the dashboard."""

from abc import abstractmethod
from datetime import date
from typing import Protocol, final

from attrs import frozen

from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import (
    COMING,
    LATEST_PLANNED,
    NEWEST,
    RECENT,
    SOON,
    Dashboard,
    FirstPage,
    PagePart,
    nearest,
)
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.money import Currency
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, OLDEST_DUE, ORDER_SORTS, QUOTE_SORTS, Listing
from portal_core.domain.quotes import QuoteState
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
    """What a client sees first, each in one question, so that a store can answer it with one statement."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, *, on: date, shown: frozenset[DocumentType], balances: bool) -> Dashboard:
        """Return the newest five of each type that is shown, by the default order of its list, and the balances."""

    @abstractmethod
    def first_page(self, scope: Scope, *, on: date, parts: frozenset[PagePart]) -> FirstPage:
        """Return those parts of the first page for people, as seen on a day of the company's."""


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

    def first_page(self, scope: Scope, *, on: date, parts: frozenset[PagePart]) -> FirstPage:
        """Ask each port in turn."""
        return FirstPage(
            to_answer=self.quotes.page(scope, _newest(QUOTE_SORTS), _TO_ANSWER, on=on).items
            if PagePart.TO_ANSWER in parts
            else (),
            to_pay=self.invoices.page(scope, _LONGEST_DUE, InvoiceFilter(due_by=on + SOON), on=on).items
            if PagePart.TO_PAY in parts
            else (),
            to_come=self._nearest(scope, on) if PagePart.TO_COME in parts else None,
            quotes=self.quotes.page(scope, _newest(QUOTE_SORTS, NEWEST), QuoteFilter(), on=on).items
            if PagePart.QUOTES in parts
            else None,
            orders=self.orders.page(scope, _newest(ORDER_SORTS, NEWEST), OrderFilter()).items
            if PagePart.ORDERS in parts
            else None,
            invoices=self.invoices.page(scope, _newest(INVOICE_SORTS, NEWEST), InvoiceFilter(), on=on).items
            if PagePart.INVOICES in parts
            else None,
            balances=self.balances.get(scope, on=on) if PagePart.BALANCES in parts else None,
        )

    def _nearest(self, scope: Scope, on: date) -> tuple[DeliveryView, ...]:
        coming = DeliveryFilter(states=COMING)
        planned = self.deliveries.page(scope, _newest(DELIVERY_SORTS, LATEST_PLANNED), coming).items
        return tuple(nearest(planned, on, lambda view: view.delivery.scheduled_on))


# A total that is known already is not counted again; nobody reads that of these.


def _newest(sorts: tuple[str, ...], most: int = RECENT) -> Listing:
    return Listing(sort=sorts[0], limit=most, total=0)


_LONGEST_DUE = Listing(sort=OLDEST_DUE, descending=False, limit=RECENT, total=0)

_TO_ANSWER = QuoteFilter(states=frozenset({QuoteState.SENT}))
