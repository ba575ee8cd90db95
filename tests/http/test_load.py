"""How much the courier takes on: room for each company and each receiver, whatever the others do."""

from portal_adapters.contract.builders import COMPANY, OTHER_COMPANY, a_dispatch
from portal_core.domain.ids import CompanyId
from portal_core.domain.outbox import Dispatch
from portal_http.load import MOST_AT_ONCE, MOST_OF_ONE_COMPANY, MOST_TO_ONE, Load


def under_way(target: str, count: int, company_id: CompanyId = COMPANY) -> list[Dispatch]:
    return [a_dispatch(f"X{number}", company_id=company_id, target=target) for number in range(count)]


def test_who_has_nothing_under_way_gets_as_much_as_a_receiver_may() -> None:
    assert Load.of([]).room == MOST_TO_ONE


def test_no_more_is_taken_than_a_receiver_may_get_beside_what_is_under_way() -> None:
    load = Load.of(under_way("W1", MOST_TO_ONE - 1))

    assert (load.room, load.full_receivers) == (1, [])


def test_a_receiver_that_is_full_leaves_room_for_others_even_of_the_same_name() -> None:
    load = Load.of([*under_way("staff", MOST_TO_ONE), *under_way("staff", 1, OTHER_COMPANY)])

    assert load.full_receivers == [(COMPANY, "staff")]
    assert load.full_companies == []
    assert load.room == MOST_TO_ONE - 1


def test_a_company_that_is_full_leaves_room_for_others() -> None:
    load = Load.of(dispatch for n in range(MOST_OF_ONE_COMPANY) for dispatch in under_way(f"W{n}", 1))

    assert (load.full_companies, load.room) == ([COMPANY], MOST_TO_ONE - 1)


def test_when_everything_is_under_way_there_is_no_room() -> None:
    every = [dispatch for n in range(MOST_AT_ONCE) for dispatch in under_way("W", 1, CompanyId(f"company{n}"))]

    assert Load.of(every).room == 0
