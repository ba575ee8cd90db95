"""Tickets: a conversation in which nobody writes over anybody."""

from attrs import evolve

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NEIGHBOUR,
    OTHER_COMPANY,
    STRANGER,
    a_ticket,
    moment,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.feedback import Party, Reply, Ticket, TicketState
from portal_core.domain.filters import TicketFilter
from portal_core.domain.paging import Listing
from portal_core.ports import Store, Transactions

FIRST = Reply(by=Party.STAFF, message="It is on its way.", created_at=moment(9))
SECOND = Reply(by=Party.CLIENT, message="Thank you.", created_at=moment(3))


class TicketsContract:
    """Compare-and-set on state, replies and whether it was erased."""

    def test_replies_are_added_in_their_order(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        answered = ticket.reply(FIRST)
        thanked = answered.reply(SECOND)

        for after, was in ((answered, ticket), (thanked, answered)):
            with transactions.begin() as store:
                assert store.tickets.update(after, was=was)

        with transactions.begin() as store:
            assert store.tickets.get(COMPANY, ticket.id, TicketFilter()) == thanked
            assert _tickets(store) == [thanked]

    def test_a_reply_to_what_was_read_before_another_reply_is_not_kept(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        with transactions.begin() as store:
            store.tickets.update(ticket.reply(FIRST), was=ticket)

        with transactions.begin() as store:
            stale = store.tickets.update(ticket.reply(SECOND), was=ticket)

        with transactions.begin() as store:
            assert not stale
            assert _tickets(store) == [ticket.reply(FIRST)]

    def test_a_reply_to_a_ticket_that_was_closed_meanwhile_is_not_kept(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        closed = ticket.reply(FIRST, close=True)
        with transactions.begin() as store:
            store.tickets.update(closed, was=ticket)

        with transactions.begin() as store:
            still_open = evolve(closed, state=TicketState.ANSWERED)
            stale = store.tickets.update(still_open.reply(SECOND), was=still_open)

        with transactions.begin() as store:
            assert not stale
            assert _tickets(store) == [closed]

    def test_a_reply_to_what_was_read_before_it_was_erased_is_not_kept(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        with transactions.begin() as store:
            store.tickets.erase(COMPANY, CLIENT)

        with transactions.begin() as store:
            stale = store.tickets.update(ticket.reply(FIRST), was=ticket)

        with transactions.begin() as store:
            assert not stale
            assert _tickets(store) == [ticket.without_texts()]

    def test_an_unknown_or_another_companys_ticket_is_not_updated(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        unknown, theirs = a_ticket("T2"), evolve(ticket, company_id=OTHER_COMPANY)

        with transactions.begin() as store:
            updated = [store.tickets.update(each.reply(FIRST), was=each) for each in (unknown, theirs)]

        with transactions.begin() as store:
            assert updated == [False, False]
            assert _tickets(store) == [ticket]

    def test_a_refused_reply_spoils_nothing_in_its_transaction(self, transactions: Transactions) -> None:
        ticket, other = _ticket(transactions), a_ticket("T2")

        with transactions.begin() as store:
            store.tickets.add(other)
            answered = evolve(ticket, state=TicketState.ANSWERED)
            refused = store.tickets.update(answered.reply(SECOND), was=answered)
            kept = store.tickets.update(ticket.reply(FIRST), was=ticket)

        with transactions.begin() as store:
            assert (refused, kept) == (False, True)
            assert _tickets(store) == [other, ticket.reply(FIRST)]

    def test_what_a_client_wrote_is_erased_and_what_staff_and_others_wrote_stays(
        self, transactions: Transactions
    ) -> None:
        ticket, theirs, strangers = _ticket(transactions), a_ticket("T3", scope=NEIGHBOUR), a_ticket(scope=STRANGER)
        thanked = ticket.reply(FIRST).reply(SECOND)
        with transactions.begin() as store:
            for other in (theirs, strangers):
                store.tickets.add(other)
            store.tickets.update(thanked, was=ticket)

        with transactions.begin() as store:
            erased = [store.tickets.erase(COMPANY, CLIENT) for _ in range(2)]

        with transactions.begin() as store:
            left = evolve(thanked, subject="", message="", replies=(FIRST, evolve(SECOND, message="")))
            assert erased == [1, 0]
            assert _tickets(store) == [theirs, left]
            assert store.tickets.get(OTHER_COMPANY, strangers.id, TicketFilter()) == strangers

    def test_a_reply_that_came_after_a_ticket_was_erased_is_erased_again(self, transactions: Transactions) -> None:
        ticket = _ticket(transactions)
        with transactions.begin() as store:
            store.tickets.erase(COMPANY, CLIENT)

        with transactions.begin() as store:
            blank = ticket.without_texts()
            store.tickets.update(blank.reply(SECOND), was=blank)
            erased = store.tickets.erase(COMPANY, CLIENT)

        with transactions.begin() as store:
            assert erased == 1
            assert _tickets(store) == [blank.reply(evolve(SECOND, message=""))]


def _ticket(transactions: Transactions) -> Ticket:
    prepare(transactions)
    with transactions.begin() as store:
        store.tickets.add(a_ticket())
    return a_ticket()


def _tickets(store: Store) -> list[Ticket]:
    return list(store.tickets.page(COMPANY, Listing(sort="created_at"), TicketFilter()).items)
