"""The same portal in FastAPI and pydantic over asyncpg alone: six statements written by hand, no ORM."""

import hashlib
import json
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Query, Request

import shapes

GRANT = """
SELECT g.client_id, g.permissions, c.name AS client_name, o.id AS company_id, o.name AS company_name, o.timezone
FROM access_grant g JOIN client c ON c.id = g.client_id JOIN company o ON o.id = c.company_id
WHERE g.digest = $1 AND g.revoked_at IS NULL AND g.expires_at > $2
"""
QUOTES = """
SELECT id, number, state, revision, issued_on, valid_until, currency, subtotal, tax, total, decided_at
FROM quote WHERE client_id = $1 AND state <> 'draft' ORDER BY issued_on DESC, id DESC LIMIT 5
"""
ORDERS = """
SELECT id, number, state, ordered_on, client_reference, delivery_status, currency, subtotal, tax, total, quote_id
FROM sales_order WHERE client_id = $1 ORDER BY ordered_on DESC, id DESC LIMIT 5
"""
_INVOICE = """
id, number, kind, state, payment_state, issued_on, due_on, currency, subtotal, tax, total, amount_due, order_id,
payment_url, payment_instructions
"""
INVOICES = f"""
SELECT {_INVOICE} FROM invoice WHERE client_id = $1 AND state = 'posted'
ORDER BY issued_on DESC, id DESC LIMIT $2 OFFSET $3
"""
COUNT = "SELECT count(*) FROM invoice WHERE client_id = $1 AND state = 'posted'"
DELIVERIES = """
SELECT d.id, d.number, d.state, d.order_id, o.number AS order_number, d.carrier_name, d.tracking_number, d.tracking_url,
       d.scheduled_on, d.shipped_at, d.delivered_at, d.backorder_of,
       (SELECT json_agg(json_build_object('order_line_id', l.order_line_id, 'description', l.description,
               'quantity', l.quantity::text, 'delivered_quantity', l.delivered_quantity::text, 'unit', l.unit)
               ORDER BY l.position)
        FROM delivery_line l WHERE l.delivery_id = d.id) AS lines
FROM delivery d LEFT JOIN sales_order o ON o.id = d.order_id
WHERE d.client_id = $1 AND d.state <> 'draft' ORDER BY d.scheduled_on DESC NULLS LAST, d.id DESC LIMIT 5
"""
BALANCES = """
SELECT currency,
       sum(amount_due) FILTER (WHERE kind = 'invoice' AND (due_on IS NULL OR due_on >= $2)) AS current,
       sum(amount_due) FILTER (WHERE kind = 'invoice' AND due_on < $2 AND due_on >= $3) AS days_1_30,
       sum(amount_due) FILTER (WHERE kind = 'invoice' AND due_on < $3 AND due_on >= $4) AS days_31_60,
       sum(amount_due) FILTER (WHERE kind = 'invoice' AND due_on < $4 AND due_on >= $5) AS days_61_90,
       sum(amount_due) FILTER (WHERE kind = 'invoice' AND due_on < $5) AS over_90,
       coalesce(sum(amount_due) FILTER (WHERE kind = 'credit_note'), 0)
           + coalesce((SELECT sum(p.unallocated) FROM payment p
                       WHERE p.client_id = $1 AND p.currency = invoice.currency AND p.unallocated > 0), 0) AS credit
FROM invoice WHERE client_id = $1 AND state = 'posted' AND amount_due > 0 GROUP BY currency ORDER BY currency
"""
INVOICE = f"SELECT {_INVOICE}, reference FROM invoice WHERE id = $1 AND client_id = $2 AND state = 'posted'"
LINES = """
SELECT line_id, kind, description, quantity, unit, unit_price, discount_percent, subtotal, total
FROM invoice_line WHERE invoice_id = $1 ORDER BY position
"""
ALLOCATIONS = """
SELECT a.payment_id, p.number, a.amount, a.allocated_on
FROM allocation a JOIN payment p ON p.id = a.payment_id WHERE a.invoice_id = $1 ORDER BY a.id
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settings = {"search_path": "peers", "jit": "off"}
    async with asyncpg.create_pool(
        os.environ["BENCH_DSN"], min_size=10, max_size=10, server_settings=settings, reset=nothing
    ) as pool:
        app.state.pool = pool
        yield


async def nothing(_: object) -> None:
    """Spare the round trip by which a pool resets what nobody here sets."""


app = FastAPI(lifespan=lifespan)


async def get_connection(request: Request) -> AsyncGenerator[asyncpg.Connection]:
    async with request.app.state.pool.acquire() as connection:
        yield connection


ConnectionDep = Annotated[asyncpg.Connection, Depends(get_connection)]


async def get_grant(token: str, connection: ConnectionDep) -> asyncpg.Record:
    grant = await connection.fetchrow(GRANT, hashlib.sha256(token.encode()).digest(), datetime.now(UTC))
    if grant is None:
        raise HTTPException(404)
    return grant


GrantDep = Annotated[asyncpg.Record, Depends(get_grant)]


def require(grant: asyncpg.Record, permission: str) -> None:
    if permission not in grant["permissions"]:
        raise HTTPException(403)


def today_of(grant: asyncpg.Record) -> date:
    return datetime.now(ZoneInfo(grant["timezone"])).date()


@app.get("/view/{token}/dashboard")
async def dashboard(grant: GrantDep, connection: ConnectionDep) -> shapes.DashboardAnswer:
    client_id, today = grant["client_id"], today_of(grant)
    quotes = await connection.fetch(QUOTES, client_id)
    orders = await connection.fetch(ORDERS, client_id)
    invoices = await connection.fetch(INVOICES, client_id, 5, 0)
    deliveries = await connection.fetch(DELIVERIES, client_id)
    days = [today - timedelta(each) for each in (0, 30, 60, 90)]
    balances = await connection.fetch(BALANCES, client_id, *days)
    return shapes.DashboardAnswer(
        data=shapes.Dashboard(
            client=shapes.Party(id=client_id, name=grant["client_name"]),
            company=shapes.Party(id=grant["company_id"], name=grant["company_name"]),
            recent=shapes.Recent(
                quotes=[quote_row(each, today) for each in quotes],
                orders=[order_row(each) for each in orders],
                invoices=[invoice_row(each, today) for each in invoices],
                deliveries=[
                    shapes.Delivery(**{**each, "lines": json.loads(each["lines"] or "[]")}) for each in deliveries
                ],
            ),
            balances=[shapes.balance(each, each["credit"] or Decimal(0)) for each in balances],
        )
    )


@app.get("/view/{token}/invoices")
async def list_invoices(
    grant: GrantDep,
    connection: ConnectionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> shapes.InvoicesAnswer:
    require(grant, "view_invoices")
    total = await connection.fetchval(COUNT, grant["client_id"])
    rows = await connection.fetch(INVOICES, grant["client_id"], limit, offset)
    today = today_of(grant)
    return shapes.InvoicesAnswer(
        data=[invoice_row(each, today) for each in rows],
        meta=shapes.Meta(total=total, limit=limit, offset=offset, hasMore=offset + limit < total),
    )


@app.get("/view/{token}/invoices/{invoice_id}")
async def read_invoice(invoice_id: str, grant: GrantDep, connection: ConnectionDep) -> shapes.InvoiceAnswer:
    require(grant, "view_invoices")
    invoice = await connection.fetchrow(INVOICE, invoice_id, grant["client_id"])
    if invoice is None:
        raise HTTPException(404)
    lines = await connection.fetch(LINES, invoice_id)
    allocations = await connection.fetch(ALLOCATIONS, invoice_id)
    return shapes.InvoiceAnswer(data=invoice_detail(invoice, lines, allocations, today_of(grant)))


def quote_row(quote: asyncpg.Record, today: date) -> shapes.QuoteRow:
    return shapes.QuoteRow(
        **{
            **quote,
            **_sums(quote),
            "state": shapes.state_of(quote["state"], quote["valid_until"], today),
        }
    )


def order_row(order: asyncpg.Record) -> shapes.OrderRow:
    return shapes.OrderRow(**{**order, **_sums(order)})


def invoice_row(invoice: asyncpg.Record, today: date) -> shapes.InvoiceRow:
    return shapes.InvoiceRow(**_row_parts(invoice, today))


def _row_parts(invoice: asyncpg.Record, today: date) -> dict[str, object]:
    overdue = shapes.is_overdue(invoice["kind"], invoice["amount_due"], invoice["due_on"], today)
    due = shapes.money(invoice["amount_due"], invoice["currency"])
    return {**invoice, **_sums(invoice), "amount_due": due, "overdue": overdue}


def invoice_detail(
    invoice: asyncpg.Record, lines: list[asyncpg.Record], allocations: list[asyncpg.Record], today: date
) -> shapes.InvoiceDetail:
    unit, parts = invoice["currency"], _row_parts(invoice, today)
    return shapes.InvoiceDetail(
        **parts,
        lines=[
            shapes.InvoiceLine(
                **{
                    **line,
                    "id": line["line_id"],
                    "subtotal": shapes.money(line["subtotal"], unit),
                    "total": shapes.money(line["total"], unit),
                }
            )
            for line in lines
        ],
        instalments=[
            shapes.Instalment(due_on=invoice["due_on"], amount=parts["total"], amount_due=parts["amount_due"])
        ],
        allocations=[
            shapes.Allocation(
                source="payment",
                source_id=each["payment_id"],
                source_number=each["number"],
                amount=shapes.money(each["amount"], unit),
                allocated_on=each["allocated_on"],
            )
            for each in allocations
        ],
    )


def _sums(document: asyncpg.Record) -> dict[str, shapes.Money]:
    return {name: shapes.money(document[name], document["currency"]) for name in ("subtotal", "tax", "total")}
