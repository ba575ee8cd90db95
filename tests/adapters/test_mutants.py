"""The promises can be broken: each broken store fails the one that it breaks, and the honest store keeps it."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from portal_adapters.contract import StoreContract
from portal_adapters.contract.builders import a_quote
from portal_adapters.contract.decisions import MOVED_ON
from portal_adapters.contract.lists import COMPANY_LISTS, DOCUMENT_LISTS, Listed
from portal_adapters.contract.machine import StoreMachine
from portal_adapters.contract.races import Race
from portal_adapters.memory import MemoryTransactions
from portal_core.domain.access import DocumentType
from portal_core.domain.errors import NotOpen
from portal_core.domain.money import CURRENCIES
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import QuoteState
from portal_core.ports import Mint, Store, Transactions
from tests.adapters import mutants
from tests.adapters.mutants import Mutant

Promise: TypeAlias = Callable[[Transactions], None]

QUOTES, ORDERS, DELIVERIES, INVOICES, PAYMENTS = DOCUMENT_LISTS
GRANTS, _, TICKETS, _ = COMPANY_LISTS

promised = StoreContract()

UNTIL_FOUND = settings(
    max_examples=500,
    stateful_step_count=30,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _walk(listed: Listed, sort: str, *, descending: bool = True) -> Promise:
    listing = Listing(sort=sort, descending=descending)
    return lambda store: promised.test_a_walk_meets_every_record_once_and_in_order(store, listed, listing)


BROKEN: dict[str, tuple[Callable[[], Transactions], Promise]] = {
    "commits what failed": (
        mutants.Leaking,
        lambda store: promised.test_a_failure_leaves_no_trace_and_is_raised_as_it_is(store, NotOpen("refused")),
    ),
    "commits what broke in the middle": (
        mutants.Leaking,
        promised.test_a_fault_after_any_call_leaves_no_trace,
    ),
    "poisons transactions": (
        mutants.Poisoned,
        promised.test_a_refused_decision_spoils_nothing_in_its_transaction,
    ),
    "checks, then acts": (
        mutants.CheckThenAct,
        lambda store: promised.test_of_many_racing_answers_to_a_quote_one_is_the_decision(store, Race()),
    ),
    "forgets the company": (
        lambda: Mutant(mutants.company_forgotten),
        lambda store: promised.test_another_companys_record_is_not_there(store, ORDERS),
    ),
    "forgets the client": (
        lambda: Mutant(mutants.client_forgotten),
        lambda store: promised.test_another_clients_document_is_not_there(store, INVOICES),
    ),
    "forgets what a link is narrowed to": (
        lambda: Mutant(mutants.narrowing_forgotten),
        lambda store: promised.test_a_narrowed_scope_shows_its_documents_alone(store, PAYMENTS),
    ),
    "shows drafts": (
        lambda: Mutant(mutants.drafts_shown),
        lambda store: promised.test_what_is_not_for_clients_is_not_there(
            store, DocumentType.QUOTE, a_quote("x", recorded_state=QuoteState.DRAFT)
        ),
    ),
    "sorts what has no value first": (lambda: Mutant(mutants.nulls_first), _walk(DELIVERIES, "scheduled_on")),
    "orders ties the other way": (lambda: Mutant(mutants.ties_ascending), _walk(QUOTES, "issued_on")),
    "pages by offset": (
        lambda: Mutant(mutants.by_offset),
        lambda store: promised.test_the_rest_of_a_walk_is_not_disturbed_by_what_is_added(
            store, ORDERS, Listing(sort="number")
        ),
    ),
    "skips a record between pages": (lambda: Mutant(mutants.off_by_one), _walk(INVOICES, "due_on", descending=False)),
    "always has another page": (lambda: Mutant(mutants.always_more), _walk(TICKETS, "created_at")),
    "counts the page": (lambda: Mutant(mutants.total_of_page), _walk(GRANTS, "created_at")),
    "finds numbers in any case": (
        lambda: Mutant(mutants.number_in_any_case),
        lambda store: promised.test_number_since_and_until_narrow_a_list_and_its_total(
            store, ORDERS, Listing(sort="", number="A")
        ),
    ),
    "filters by the recorded state": (
        lambda: Mutant(mutants.recorded_state),
        lambda store: promised.test_quotes_are_filtered_by_the_state_that_is_shown(store, QuoteState.SENT),
    ),
    "keeps money as float": (
        lambda: Mutant(mutants.money_as_float),
        lambda store: promised.test_money_is_kept_to_the_last_minor_unit(store, CURRENCIES["EUR"], 2**53 + 1),
    ),
    "normalizes decimals": (
        lambda: Mutant(mutants.decimals_normalized),
        promised.test_decimals_keep_the_places_they_were_given,
    ),
    "keeps milliseconds": (
        lambda: Mutant(mutants.moments_in_milliseconds),
        promised.test_moments_are_kept_to_the_microsecond_wherever_they_were_told,
    ),
    "decides on what was not seen": (
        lambda: Mutant(mutants.content_ignored),
        lambda store: promised.test_nothing_is_decided_on_a_quote_that_moved_on(
            store, dict(MOVED_ON)["changed in its total"]
        ),
    ),
    "lets the last change of a grant win": (
        lambda: Mutant(mutants.last_write_wins),
        promised.test_an_update_of_another_version_changes_nothing,
    ),
    "lets the last racing change of a grant win": (
        lambda: Mutant(mutants.last_write_wins),
        lambda store: promised.test_of_many_racing_changes_to_a_grant_each_one_that_is_told_done_is_done(store, Race()),
    ),
    "caches links": (
        lambda: Mutant(mutants.links_cached()),
        promised.test_a_rotated_grant_opens_by_its_new_secret_and_by_the_old_until_it_dies,
    ),
    "judges expiry by yesterday's clock": (
        lambda: Mutant(mutants.expiry_a_day_late),
        lambda store: promised.test_a_secret_dies_at_its_moment_and_a_grant_at_its_end(store, 10, [False, False]),
    ),
    "notes an earlier use over a later": (
        lambda: Mutant(mutants.use_goes_back),
        promised.test_the_latest_use_is_noted_without_a_new_version,
    ),
    "overwrites replies": (
        lambda: Mutant(mutants.replies_overwritten),
        promised.test_a_reply_to_what_was_read_before_another_reply_is_not_kept,
    ),
    "tells what was erased": (
        lambda: Mutant(mutants.replies_tell_what_was_erased),
        promised.test_a_reply_to_what_was_read_before_it_was_erased_is_not_kept,
    ),
    "orders events by their moment": (
        lambda: Mutant(mutants.events_by_moment),
        promised.test_events_come_in_the_order_in_which_they_were_appended,
    ),
    "orders events by their id": (
        lambda: Mutant(mutants.events_by_id),
        promised.test_events_come_in_the_order_in_which_they_were_appended,
    ),
    "repeats the event to read on from": (
        lambda: Mutant(mutants.after_included),
        lambda store: promised.test_events_are_read_on_after_one(store, 1),
    ),
    "shares idempotency keys": (
        lambda: Mutant(mutants.keys_without_asker),
        promised.test_an_answer_is_found_under_its_key_alone,
    ),
    "answers for ever": (
        lambda: Mutant(mutants.answers_for_ever),
        promised.test_an_answer_is_found_until_it_is_too_old,
    ),
    "removes decisions with their quote": (
        lambda: Mutant(mutants.decisions_removed_with_their_quote),
        promised.test_a_record_never_touches_a_decision,
    ),
    "exports in any order": (
        lambda: Mutant(mutants.facts_in_any_order),
        promised.test_the_facts_of_one_company_or_one_client_come_alone,
    ),
    "forgets that tickets refer": (
        lambda: Mutant(mutants.tickets_do_not_refer),
        promised.test_tickets_and_links_refer_to_their_document_and_client,
    ),
    "keeps a balance when documents change": (
        lambda: Mutant(mutants.balances_kept()),
        promised.test_an_account_follows_every_change_of_a_document,
    ),
    "hides that a statement is too long": (
        lambda: Mutant(mutants.one_movement_short),
        lambda store: promised.test_a_period_holds_one_movement_more_than_the_most(store, 2),
    ),
}


@pytest.mark.parametrize("broken, promise", BROKEN.values(), ids=BROKEN)
def test_a_store_that_breaks_a_promise_is_found_out(broken: Callable[[], Transactions], promise: Promise) -> None:
    promise(Mutant())

    with pytest.raises(AssertionError):
        promise(broken())


long = pytest.mark.long

OPERATED = (
    pytest.param(lambda: mutants.nulls_first, id="sorts what has no value first"),
    pytest.param(lambda: mutants.recorded_state, id="filters by the recorded state"),
    pytest.param(mutants.links_cached, id="caches links", marks=long),
    pytest.param(mutants.balances_kept, id="keeps a balance when documents change"),
    pytest.param(lambda: mutants.use_goes_back, id="notes an earlier use over a later", marks=long),
)


@pytest.mark.parametrize("altering", OPERATED)
def test_the_machine_finds_a_broken_store_out(altering: Callable[[], Callable[[Store], Store]]) -> None:
    class Machine(StoreMachine):
        @contextmanager
        def opened(self, mint: Mint) -> Generator[Transactions]:
            yield Mutant(altering(), MemoryTransactions(mint))

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Machine, settings=UNTIL_FOUND)
