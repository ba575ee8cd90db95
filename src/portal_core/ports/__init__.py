"""What the core asks of the outside world.

Every signature is scoped to a company, and to a client where a client asks. What is not theirs is answered
with None or left out, never with an error. Writes are compare-and-set: they answer False when somebody else
was faster, and nothing was written.
"""

from attrs import frozen

from portal_core.ports.access import Clients, Companies, Grants, Links
from portal_core.ports.conversation import Tickets
from portal_core.ports.documents import Deliveries, Invoices, Orders, Payments, Quotes
from portal_core.ports.files import Attachments, Documents
from portal_core.ports.glances import (
    DELIVERY_FIELDS,
    INVOICE_FIELDS,
    ORDER_FIELDS,
    QUOTE_FIELDS,
    DashboardRows,
    DeliveryToCome,
    Detail,
    FirstPageBriefs,
    Glance,
    Glances,
    InvoiceRows,
)
from portal_core.ports.happenings import Answers, AuditLog, Decisions, Events, KeptAnswer, KeyOfAnswer
from portal_core.ports.intake import Facts, Intake, Kept, Newcomer, Pack, Packed, PackedIntake, Settle
from portal_core.ports.outbox import Dispatches, Outbox, Webhooks
from portal_core.ports.overview import Accounts, Balances, ComposedDashboards, Dashboards
from portal_core.ports.system import Mint, Runner, Signer, Transactions

__all__ = [
    "DELIVERY_FIELDS",
    "INVOICE_FIELDS",
    "ORDER_FIELDS",
    "QUOTE_FIELDS",
    "Accounts",
    "Answers",
    "Attachments",
    "AuditLog",
    "Balances",
    "Clients",
    "Companies",
    "ComposedDashboards",
    "DashboardRows",
    "Dashboards",
    "Decisions",
    "Deliveries",
    "DeliveryToCome",
    "Detail",
    "Dispatches",
    "Documents",
    "Events",
    "Facts",
    "FirstPageBriefs",
    "Glance",
    "Glances",
    "Grants",
    "Intake",
    "InvoiceRows",
    "Invoices",
    "Kept",
    "KeptAnswer",
    "KeyOfAnswer",
    "Links",
    "Mint",
    "Newcomer",
    "Orders",
    "Outbox",
    "Pack",
    "Packed",
    "PackedIntake",
    "Payments",
    "Quotes",
    "Runner",
    "Settle",
    "Signer",
    "Store",
    "Tickets",
    "Transactions",
    "Webhooks",
]


@frozen(kw_only=True)
class Store:
    """The ports that use cases work with, all within one transaction.

    A record, not a port: adapters can be mixed. Decisions, events, the audit log, answers and grants must share one
    store; where quotes live elsewhere, only the uniqueness of a decision per revision is promised.
    """

    companies: Companies
    clients: Clients
    grants: Grants
    links: Links
    quotes: Quotes
    orders: Orders
    deliveries: Deliveries
    invoices: Invoices
    payments: Payments
    balances: Balances
    accounts: Accounts
    dashboards: Dashboards
    documents: Documents
    attachments: Attachments
    decisions: Decisions
    tickets: Tickets
    events: Events
    audit: AuditLog
    answers: Answers
    webhooks: Webhooks
    dispatches: Dispatches
    outbox: Outbox
    facts: Facts
    intake: Intake
    mint: Mint
