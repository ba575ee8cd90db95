"""Plenty of everything: one client with as many documents, links, events and tickets as a test asks for."""

from datetime import timedelta

from attrs import evolve

from portal_adapters.contract.builders import (
    NOW,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_grant,
    a_key,
    a_payment,
    a_quote,
    a_secret,
    a_ticket,
    an_answer,
    an_audit_entry,
    an_event,
    an_invoice,
    an_order,
    credited,
    day,
    eur,
    moment,
    paid,
)
from portal_adapters.contract.feeding import feed
from portal_core.domain.audit import Target, TargetType
from portal_core.domain.feedback import Party, Reply
from portal_core.domain.ids import OrderId, QuoteId
from portal_core.domain.records import Fact
from portal_core.ports import Store, Transactions

MANY = 130


def fill(transactions: Transactions, rows: int) -> None:
    """Commit that many of each kind, the first of them the newest, and one credit note; links open by `a_token`."""
    with transactions.begin() as store:
        feed(store, a_company(), a_client(), *_documents(rows))
        _happenings(store, rows)


def _documents(rows: int) -> list[Fact]:
    facts: list[Fact] = []
    for place in range(1, rows + 1):
        own, on = f"{place}", day(-place)
        facts += (
            a_quote(own, issued_on=on, order_id=OrderId(own)),
            an_order(own, ordered_on=on, quote_id=QuoteId(own)),
            a_delivery(own, scheduled_on=on, order_id=OrderId("1")),
            an_invoice(own, issued_on=on, due_on=on, order_id=OrderId("1")),
            a_payment(own, received_on=on, allocations=(paid("1", eur("0.50")), paid(own, eur("1.00")))),
        )
    given = tuple(credited(f"{place}", eur("0.10")) for place in range(1, rows + 1))
    return [*facts, a_credit_note("C1", allocations=given)]


def _happenings(store: Store, rows: int) -> None:
    for place in range(1, rows + 1):
        own, at = f"{place}", moment(-place)
        store.grants.add(a_grant(own, created_at=at, secrets=(a_secret(place), a_secret(1000 + place))))
        store.events.append(an_event(own))
        store.audit.append(an_audit_entry(own, created_at=at, target=Target(TargetType.TOKEN, own)))
        ticket = a_ticket(own, created_at=at)
        replies = tuple(Reply(by=Party.STAFF, message="Soon.", created_at=at + timedelta(1)) for _ in range(place % 3))
        store.tickets.add(evolve(ticket, replies=(*replies, Reply(by=Party.CLIENT, message="And?", created_at=at))))
        store.answers.keep(a_key(own), an_answer(), since=NOW)
