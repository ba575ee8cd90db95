"""The endpoints of the API, in the order in which they are documented."""

from http import HTTPStatus

from portal_core.domain.access import Permission
from portal_core.domain.errors import AlreadyDecided, MovedOn, NotFound, NotOpen, Revoked
from portal_core.domain.paging import (
    DELIVERY_SORTS,
    INVOICE_SORTS,
    MOMENT_SORTS,
    ORDER_SORTS,
    PAYMENT_SORTS,
    QUOTE_SORTS,
)
from portal_http import shapes
from portal_http.api import (
    audit,
    dashboard,
    decisions,
    deliveries,
    downloads,
    events,
    feedback,
    files,
    invoices,
    orders,
    papers,
    payments,
    quotes,
    receipts,
    records,
    statement,
    tickets,
    tokens,
    webhooks,
)
from portal_http.endpoints import (
    PDF_UPLOAD,
    Result,
    a_file,
    client_reads,
    client_writes,
    many,
    one,
    staff_deletes,
    staff_reads,
    staff_uploads,
    staff_writes,
)
from portal_http.errors import InvalidJson, StillNeeded
from portal_http.queries import ATOMIC, CURRENCY, LIMIT, OVERDUE, a_document_list, a_list, by_name
from portal_http.requests import (
    AcceptQuote,
    AddWebhook,
    AmendLink,
    AmendWebhook,
    DeclineQuote,
    IssueLink,
    Nothing,
    ReplyAsClient,
    ReplyAsStaff,
    RotateLink,
    RotateWebhook,
    SendLink,
    SubmitFeedback,
)
from portal_http.whole_lists import WHOLE_LISTS

_QUOTES = (Permission.VIEW_QUOTES,)
_TO_DECIDE = (Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES)
_ORDERS = (Permission.VIEW_ORDERS,)
_INVOICES = (Permission.VIEW_INVOICES,)
_PAYMENTS = (Permission.VIEW_PAYMENTS,)
_DELIVERIES = (Permission.VIEW_DELIVERIES,)
_ACCOUNT = (Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS)
_FEEDBACK = (Permission.SUBMIT_FEEDBACK,)

_QUOTE = one(shapes.QuoteDetailShape, fields=("ETag",))
_CSV = a_file("text/csv")
_PDF = a_file("application/pdf", "ETag")
_DECIDED = (MovedOn, AlreadyDecided, NotOpen)

CLIENT_ENDPOINTS = (
    client_reads("", dashboard.view_link, "Whose link it is and what it may do", one(shapes.ViewShape)),
    client_reads(
        "/dashboard", dashboard.view_dashboard, "The newest documents and the balances", one(shapes.DashboardShape)
    ),
    client_reads(
        "/quotes",
        quotes.list_all,
        "Quotes",
        many(shapes.QuoteShape),
        query=a_document_list(QUOTE_SORTS, quotes.STATE),
        permissions=_QUOTES,
    ),
    client_reads("/quotes/{quote_id}", quotes.read_one, "One quote", _QUOTE, permissions=_QUOTES),
    client_reads("/quotes/{quote_id}/pdf", papers.quote, "One quote as PDF", _PDF, permissions=_QUOTES),
    client_reads(
        "/quotes/{quote_id}/receipt",
        receipts.read_one,
        "The signed receipt of the decision on a quote, as a compact JWS (RFC 7515)",
        Result("bare", media_type="application/jose"),
        permissions=_QUOTES,
    ),
    client_reads(
        "/quotes/{quote_id}/receipt/pdf",
        papers.receipt,
        "The receipt of the decision on a quote as PDF, with the signed receipt attached",
        _PDF,
        permissions=_QUOTES,
    ),
    client_writes(
        "/quotes/{quote_id}/accept",
        quotes.accept,
        AcceptQuote,
        "Accept a quote",
        _QUOTE,
        permissions=_TO_DECIDE,
        headers=("If-Match",),
        refusals=_DECIDED,
    ),
    client_writes(
        "/quotes/{quote_id}/decline",
        quotes.decline,
        DeclineQuote,
        "Decline a quote",
        _QUOTE,
        permissions=_TO_DECIDE,
        headers=("If-Match",),
        refusals=_DECIDED,
    ),
    client_reads(
        "/orders",
        orders.list_all,
        "Orders",
        many(shapes.OrderShape),
        query=a_document_list(ORDER_SORTS, orders.STATE, orders.DELIVERY_STATUS),
        permissions=_ORDERS,
    ),
    client_reads("/orders/{order_id}", orders.read_one, "One order", one(shapes.OrderDetailShape), permissions=_ORDERS),
    client_reads("/orders/{order_id}/pdf", papers.order, "One order as PDF", _PDF, permissions=_ORDERS),
    client_reads(
        "/invoices",
        invoices.list_all,
        "Invoices and credit notes",
        many(shapes.InvoiceShape),
        query=a_document_list(INVOICE_SORTS, invoices.KIND, invoices.PAYMENT_STATE, OVERDUE),
        permissions=_INVOICES,
    ),
    client_reads(
        "/invoices/{invoice_id}",
        invoices.read_one,
        "One invoice or credit note",
        one(shapes.InvoiceDetailShape, shapes.CreditNoteDetailShape),
        permissions=_INVOICES,
    ),
    client_reads(
        "/invoices/{invoice_id}/pdf",
        files.read_invoice,
        "An invoice or credit note as PDF, as the system of record issued it",
        _PDF,
        permissions=_INVOICES,
    ),
    client_reads(
        "/payments",
        payments.list_all,
        "Payments and refunds",
        many(shapes.PaymentShape),
        query=a_document_list(PAYMENT_SORTS),
        permissions=_PAYMENTS,
    ),
    client_reads(
        "/payments/{payment_id}",
        payments.read_one,
        "One payment or refund",
        one(shapes.PaymentShape),
        permissions=_PAYMENTS,
    ),
    client_reads(
        "/deliveries",
        deliveries.list_all,
        "Deliveries",
        many(shapes.DeliveryShape),
        query=a_document_list(DELIVERY_SORTS, deliveries.STATE),
        permissions=_DELIVERIES,
    ),
    client_reads(
        "/deliveries/{delivery_id}",
        deliveries.read_one,
        "One delivery",
        one(shapes.DeliveryShape),
        permissions=_DELIVERIES,
    ),
    client_reads(
        "/deliveries/{delivery_id}/pdf",
        papers.delivery,
        "One delivery note as PDF",
        _PDF,
        permissions=_DELIVERIES,
    ),
    client_reads(
        "/statement",
        statement.view_statement,
        "The statement of account: one for each currency, or that of one",
        Result("either", (shapes.StatementShape,)),
        query=by_name(statement.FROM, statement.TO, CURRENCY),
        permissions=_ACCOUNT,
        whole_account=True,
    ),
    client_reads(
        "/statement/pdf",
        papers.statement,
        "The statement of account as PDF",
        _PDF,
        query=by_name(statement.FROM, statement.TO, CURRENCY),
        permissions=_ACCOUNT,
        whole_account=True,
        refusals=(NotFound,),
    ),
    client_reads(
        "/feedback",
        feedback.list_all,
        "Feedback given so far",
        many(shapes.TicketShape),
        query=a_list(MOMENT_SORTS),
        permissions=_FEEDBACK,
    ),
    client_writes(
        "/feedback",
        feedback.submit,
        SubmitFeedback,
        "Give feedback",
        one(shapes.TicketShape, status=HTTPStatus.CREATED),
        permissions=_FEEDBACK,
    ),
    client_reads(
        "/feedback/{feedback_id}",
        feedback.read_one,
        "One conversation",
        one(shapes.TicketShape),
        permissions=_FEEDBACK,
    ),
    client_writes(
        "/feedback/{feedback_id}/replies",
        feedback.reply,
        ReplyAsClient,
        "Reply",
        one(shapes.TicketShape, status=HTTPStatus.CREATED),
        permissions=_FEEDBACK,
        refusals=(NotOpen,),
    ),
    *(
        client_reads(
            f"/{listed.name}.csv",
            downloads.download(listed),
            listed.summary,
            _CSV,
            query=listed.known,
            permissions=(listed.permission,),
        )
        for listed in WHOLE_LISTS
    ),
    client_reads(
        "/statement.csv",
        downloads.download_statement,
        "The statement of account as CSV",
        _CSV,
        query=by_name(statement.FROM, statement.TO, CURRENCY),
        permissions=_ACCOUNT,
        whole_account=True,
    ),
)

STAFF_ENDPOINTS = (
    staff_writes(
        "POST",
        "/tokens",
        tokens.issue,
        IssueLink,
        "Issue a link",
        one(shapes.IssuedLinkShape, status=HTTPStatus.CREATED),
    ),
    staff_reads(
        "/tokens",
        tokens.list_all,
        "Links",
        many(shapes.LinkShape),
        query=a_list(MOMENT_SORTS, tokens.CLIENT_ID, tokens.STATE),
    ),
    staff_deletes("/tokens", tokens.revoke_all, "Revoke all links of a client", query=by_name(tokens.THE_CLIENT_ID)),
    staff_reads("/tokens/{token_id}", tokens.read_one, "One link", one(shapes.LinkShape)),
    staff_writes(
        "PATCH",
        "/tokens/{token_id}",
        tokens.amend,
        AmendLink,
        "Change a link",
        one(shapes.LinkShape),
        refusals=(Revoked,),
    ),
    staff_deletes("/tokens/{token_id}", tokens.revoke, "Revoke a link"),
    staff_writes(
        "POST",
        "/tokens/{token_id}/rotate",
        tokens.rotate,
        RotateLink,
        "Give a link a fresh token",
        one(shapes.IssuedLinkShape),
        refusals=(Revoked,),
    ),
    staff_writes(
        "POST",
        "/tokens/{token_id}/send",
        tokens.send,
        SendLink,
        "Send a link by e-mail",
        one(shapes.LinkShape, status=HTTPStatus.ACCEPTED),
        refusals=(Revoked, NotOpen),
    ),
    staff_reads(
        "/decisions",
        decisions.list_all,
        "What clients decided, with the evidence",
        many(shapes.EvidenceShape),
        query=a_list(MOMENT_SORTS, tokens.CLIENT_ID, decisions.QUOTE_ID, decisions.ANSWER),
    ),
    staff_reads("/decisions/{decision_id}", decisions.read_one, "One decision", one(shapes.EvidenceShape)),
    staff_reads(
        "/feedback",
        tickets.list_all,
        "Clients' feedback",
        many(shapes.StaffTicketShape),
        query=a_list(MOMENT_SORTS, tokens.CLIENT_ID, tickets.STATE),
    ),
    staff_reads("/feedback/{feedback_id}", tickets.read_one, "One conversation", one(shapes.StaffTicketShape)),
    staff_writes(
        "POST",
        "/feedback/{feedback_id}/replies",
        tickets.reply,
        ReplyAsStaff,
        "Reply, and perhaps close the conversation",
        one(shapes.StaffTicketShape, status=HTTPStatus.CREATED),
        refusals=(NotOpen,),
    ),
    staff_reads(
        "/events",
        events.list_all,
        "What happened, oldest first",
        many(shapes.EventShape),
        query=by_name(events.AFTER, LIMIT),
    ),
    staff_reads(
        "/audit",
        audit.list_all,
        "Who did what, when and from where",
        many(shapes.AuditEntryShape),
        query=a_list(MOMENT_SORTS, audit.ACTOR, audit.ACTION, tokens.CLIENT_ID, audit.TARGET_ID, audit.FROM, audit.TO),
    ),
    staff_uploads(
        "/invoices/{invoice_id}/pdf",
        files.attach,
        PDF_UPLOAD,
        "Attach the PDF of an invoice or credit note",
        one(shapes.FileShape),
    ),
    staff_reads(
        "/invoices/{invoice_id}/pdf", files.read_attached, "The attached PDF of an invoice or credit note", _PDF
    ),
    staff_deletes("/invoices/{invoice_id}/pdf", files.detach, "Take an attached PDF away"),
    staff_uploads(
        "/records",
        records.push_all,
        records.RECORDS,
        "Take in records, as JSON Lines",
        one(shapes.PushedLinesShape),
        method="POST",
        query=by_name(ATOMIC),
        refusals=(NotFound,),
    ),
    staff_uploads(
        "/records/{record_type}/{record_id}",
        records.push,
        records.RECORD,
        "Take in one record",
        Result("one", (shapes.PushedRecordShape,), else_status=HTTPStatus.CREATED),
        refusals=(InvalidJson,),
    ),
    staff_deletes("/records/{record_type}/{record_id}", records.delete, "Delete a record", refusals=(StillNeeded,)),
    staff_writes(
        "POST",
        "/webhooks",
        webhooks.add,
        AddWebhook,
        "Send events to an address",
        one(shapes.IssuedWebhookShape, status=HTTPStatus.CREATED),
    ),
    staff_reads("/webhooks", webhooks.list_all, "Webhooks", many(shapes.WebhookShape), query=a_list(MOMENT_SORTS)),
    staff_reads("/webhooks/{webhook_id}", webhooks.read_one, "One webhook", one(shapes.WebhookShape)),
    staff_writes(
        "PATCH", "/webhooks/{webhook_id}", webhooks.amend, AmendWebhook, "Change a webhook", one(shapes.WebhookShape)
    ),
    staff_deletes("/webhooks/{webhook_id}", webhooks.remove, "Remove a webhook"),
    staff_writes(
        "POST",
        "/webhooks/{webhook_id}/rotate",
        webhooks.rotate,
        RotateWebhook,
        "Give a webhook a fresh secret",
        one(shapes.IssuedWebhookShape),
    ),
    staff_writes(
        "POST",
        "/webhooks/{webhook_id}/test",
        webhooks.test,
        Nothing,
        "Send a webhook a message that means nothing",
        one(shapes.SentShape, status=HTTPStatus.ACCEPTED),
        refusals=(NotOpen,),
    ),
    staff_reads(
        "/webhooks/{webhook_id}/deliveries",
        webhooks.list_sent,
        "What was and is to be sent to a webhook",
        many(shapes.SentShape),
        query=a_list(MOMENT_SORTS, webhooks.STATE),
    ),
    staff_writes(
        "POST",
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
        webhooks.send_again,
        Nothing,
        "Send a message again",
        one(shapes.SentShape, status=HTTPStatus.ACCEPTED),
        refusals=(NotOpen,),
    ),
)
