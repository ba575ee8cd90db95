import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.errors import NotOpen
from portal_core.domain.feedback import Category, Party, Reply, Ticket, TicketState
from portal_core.domain.ids import TicketId
from tests.core.samples import CLIENT, COMPANY, NOW

TICKET = Ticket(
    id=TicketId("t1"),
    company_id=COMPANY.id,
    client_id=CLIENT.id,
    subject="Hammer",
    message="It is broken.",
    category=Category.PROBLEM,
    created_at=NOW,
)

replies = st.builds(Reply, by=st.sampled_from(Party), message=st.just("…"), created_at=st.just(NOW))


@given(st.lists(replies, min_size=1))
def test_a_ticket_waits_for_the_side_that_did_not_write_last(said: list[Reply]) -> None:
    ticket = TICKET

    for reply in said:
        ticket = ticket.reply(reply)

    assert ticket.replies == tuple(said)
    assert ticket.state is (TicketState.ANSWERED if said[-1].by is Party.STAFF else TicketState.OPEN)


@given(replies, replies)
def test_a_closed_ticket_takes_no_more_replies(last: Reply, late: Reply) -> None:
    ticket = TICKET.reply(last, close=True)

    with pytest.raises(NotOpen):
        ticket.reply(late)

    assert (ticket.state, ticket.replies) == (TicketState.CLOSED, (last,))
