"""What a client sees first."""

from attrs import frozen

from portal_core.domain.balance import Balance
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.invoices import InvoiceSummary
from portal_core.domain.orders import OrderSummary
from portal_core.domain.quotes import QuoteSummary

RECENT = 5


@frozen(kw_only=True)
class Dashboard:
    """The newest five of each kind and the balances; None where it was not asked for."""

    quotes: tuple[QuoteSummary, ...] | None
    orders: tuple[OrderSummary, ...] | None
    invoices: tuple[InvoiceSummary, ...] | None
    deliveries: tuple[DeliveryView, ...] | None
    balances: tuple[Balance, ...] | None
