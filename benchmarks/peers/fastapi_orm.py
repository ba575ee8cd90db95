"""The same portal in FastAPI and SQLAlchemy's asynchronous ORM, as the tutorials of both would write it."""

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, HTTPException, Query
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

import shapes
from orm import AccessGrant, Allocation, Client, Delivery, Invoice, Payment, Quote, SalesOrder

engine = create_async_engine(
    os.environ["BENCH_DSN"].replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=10,
    max_overflow=0,
    connect_args={"server_settings": {"search_path": "peers", "jit": "off"}},
)
Sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def get_session() -> AsyncGenerator[AsyncSession]:
    async with Sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_grant(token: str, session: SessionDep) -> AccessGrant:
    digest = hashlib.sha256(token.encode()).digest()
    grant = await session.scalar(
        select(AccessGrant)
        .where(
            AccessGrant.digest == digest,
            AccessGrant.revoked_at.is_(None),
            AccessGrant.expires_at > datetime.now(UTC),
        )
        .options(joinedload(AccessGrant.client).joinedload(Client.company))
    )
    if grant is None:
        raise HTTPException(404)
    return grant


GrantDep = Annotated[AccessGrant, Depends(get_grant)]


def require(grant: AccessGrant, permission: str) -> None:
    if permission not in grant.permissions:
        raise HTTPException(403)


def today_of(grant: AccessGrant) -> date:
    return datetime.now(ZoneInfo(grant.client.company.timezone)).date()


@app.get("/view/{token}/dashboard")
async def dashboard(grant: GrantDep, session: SessionDep) -> shapes.DashboardAnswer:
    client, today = grant.client, today_of(grant)
    quotes = await session.scalars(
        select(Quote)
        .where(Quote.client_id == client.id, Quote.state != "draft")
        .order_by(Quote.issued_on.desc(), Quote.id.desc())
        .limit(5)
    )
    orders = await session.scalars(
        select(SalesOrder)
        .where(SalesOrder.client_id == client.id)
        .order_by(SalesOrder.ordered_on.desc(), SalesOrder.id.desc())
        .limit(5)
    )
    invoices = await session.scalars(
        select(Invoice)
        .where(Invoice.client_id == client.id, Invoice.state == "posted")
        .order_by(Invoice.issued_on.desc(), Invoice.id.desc())
        .limit(5)
    )
    deliveries = await session.scalars(
        select(Delivery)
        .where(Delivery.client_id == client.id, Delivery.state != "draft")
        .order_by(Delivery.scheduled_on.desc().nulls_last(), Delivery.id.desc())
        .limit(5)
        .options(selectinload(Delivery.lines), joinedload(Delivery.order))
    )
    return shapes.DashboardAnswer(
        data=shapes.Dashboard(
            client=shapes.Party.model_validate(client),
            company=shapes.Party.model_validate(client.company),
            recent=shapes.Recent(
                quotes=[quote_row(each, today) for each in quotes],
                orders=[order_row(each) for each in orders],
                invoices=[invoice_row(each, today) for each in invoices],
                deliveries=[shapes.Delivery.model_validate(each) for each in deliveries],
            ),
            balances=await balances(session, client.id, today),
        )
    )


@app.get("/view/{token}/invoices")
async def list_invoices(
    grant: GrantDep,
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> shapes.InvoicesAnswer:
    require(grant, "view_invoices")
    shown = and_(Invoice.client_id == grant.client_id, Invoice.state == "posted")
    total = await session.scalar(select(func.count()).select_from(Invoice).where(shown)) or 0
    invoices = await session.scalars(
        select(Invoice).where(shown).order_by(Invoice.issued_on.desc(), Invoice.id.desc()).limit(limit).offset(offset)
    )
    today = today_of(grant)
    return shapes.InvoicesAnswer(
        data=[invoice_row(each, today) for each in invoices],
        meta=shapes.Meta(total=total, limit=limit, offset=offset, hasMore=offset + limit < total),
    )


@app.get("/view/{token}/invoices/{invoice_id}")
async def read_invoice(invoice_id: str, grant: GrantDep, session: SessionDep) -> shapes.InvoiceAnswer:
    require(grant, "view_invoices")
    invoice = await session.scalar(
        select(Invoice)
        .where(Invoice.id == invoice_id, Invoice.client_id == grant.client_id, Invoice.state == "posted")
        .options(selectinload(Invoice.lines), selectinload(Invoice.allocations).joinedload(Allocation.payment))
    )
    if invoice is None:
        raise HTTPException(404)
    return shapes.InvoiceAnswer(data=invoice_detail(invoice, today_of(grant)))


async def balances(session: AsyncSession, client_id: str, today: date) -> list[shapes.Balance]:
    due = func.sum(Invoice.amount_due)
    day = Invoice.due_on
    is_invoice = Invoice.kind == "invoice"

    def between(first: int, last: int) -> list[object]:
        return [day < today - timedelta(first - 1), day >= today - timedelta(last)]

    sums = await session.execute(
        select(
            Invoice.currency,
            due.filter(is_invoice, or_(day.is_(None), day >= today)).label("current"),
            due.filter(is_invoice, *between(1, 30)).label("days_1_30"),
            due.filter(is_invoice, *between(31, 60)).label("days_31_60"),
            due.filter(is_invoice, *between(61, 90)).label("days_61_90"),
            due.filter(is_invoice, day < today - timedelta(90)).label("over_90"),
            due.filter(Invoice.kind == "credit_note").label("credit"),
        )
        .where(Invoice.client_id == client_id, Invoice.state == "posted", Invoice.amount_due > 0)
        .group_by(Invoice.currency)
        .order_by(Invoice.currency)
    )
    unallocated = await session.execute(
        select(Payment.currency, func.sum(Payment.unallocated))
        .where(Payment.client_id == client_id, Payment.unallocated > 0)
        .group_by(Payment.currency)
    )
    spare = dict(unallocated.tuples().all())
    return [
        shapes.balance(each, (each["credit"] or Decimal(0)) + spare.get(each["currency"], Decimal(0)))
        for each in sums.mappings()
    ]


def quote_row(quote: Quote, today: date) -> shapes.QuoteRow:
    return shapes.QuoteRow(
        id=quote.id,
        number=quote.number,
        state=shapes.state_of(quote.state, quote.valid_until, today),
        revision=quote.revision,
        issued_on=quote.issued_on,
        valid_until=quote.valid_until,
        currency=quote.currency,
        subtotal=shapes.money(quote.subtotal, quote.currency),
        tax=shapes.money(quote.tax, quote.currency),
        total=shapes.money(quote.total, quote.currency),
        decided_at=quote.decided_at,
    )


def order_row(order: SalesOrder) -> shapes.OrderRow:
    return shapes.OrderRow(
        id=order.id,
        number=order.number,
        state=order.state,
        ordered_on=order.ordered_on,
        client_reference=order.client_reference,
        delivery_status=order.delivery_status,
        currency=order.currency,
        subtotal=shapes.money(order.subtotal, order.currency),
        tax=shapes.money(order.tax, order.currency),
        total=shapes.money(order.total, order.currency),
        quote_id=order.quote_id,
    )


def row_parts(invoice: Invoice, today: date) -> dict[str, object]:
    unit = invoice.currency
    return {
        "id": invoice.id,
        "number": invoice.number,
        "kind": invoice.kind,
        "state": invoice.state,
        "payment_state": invoice.payment_state,
        "overdue": shapes.is_overdue(invoice.kind, invoice.amount_due, invoice.due_on, today),
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "currency": unit,
        "subtotal": shapes.money(invoice.subtotal, unit),
        "tax": shapes.money(invoice.tax, unit),
        "total": shapes.money(invoice.total, unit),
        "amount_due": shapes.money(invoice.amount_due, unit),
        "order_id": invoice.order_id,
        "payment_url": invoice.payment_url,
        "payment_instructions": invoice.payment_instructions,
    }


def invoice_row(invoice: Invoice, today: date) -> shapes.InvoiceRow:
    return shapes.InvoiceRow(**row_parts(invoice, today))


def invoice_detail(invoice: Invoice, today: date) -> shapes.InvoiceDetail:
    unit = invoice.currency
    return shapes.InvoiceDetail(
        **row_parts(invoice, today),
        reference=invoice.reference,
        lines=[
            shapes.InvoiceLine(
                id=line.line_id,
                kind=line.kind,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                subtotal=shapes.money(line.subtotal, unit),
                total=shapes.money(line.total, unit),
            )
            for line in invoice.lines
        ],
        instalments=[
            shapes.Instalment(
                due_on=invoice.due_on,
                amount=shapes.money(invoice.total, unit),
                amount_due=shapes.money(invoice.amount_due, unit),
            )
        ],
        allocations=[
            shapes.Allocation(
                source="payment",
                source_id=each.payment_id,
                source_number=each.payment.number,
                amount=shapes.money(each.amount, unit),
                allocated_on=each.allocated_on,
            )
            for each in invoice.allocations
        ],
    )
