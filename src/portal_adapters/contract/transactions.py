"""All or nothing: what is committed is there for everybody, what fails leaves no trace."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from threading import Thread
from typing import Any

import pytest
from attrs import evolve, fields, frozen

from portal_adapters.contract.builders import (
    COMPANY,
    NOW,
    SCOPE,
    TODAY,
    a_client,
    a_company,
    a_decision,
    a_file,
    a_grant,
    a_key,
    a_payment,
    a_quote,
    a_secret,
    a_ticket,
    a_token,
    a_visit,
    an_answer,
    an_audit_entry,
    an_event,
    an_invoice,
    an_order,
    eur,
    evidence,
    moment,
    paid,
)
from portal_adapters.contract.feeding import change, keep_decision, prepare
from portal_core.domain.access import DocumentRef, DocumentType, Use
from portal_core.domain.errors import AlreadyDecided, NotOpen
from portal_core.domain.feedback import Party, Reply
from portal_core.domain.filters import (
    AuditFilter,
    DecisionFilter,
    GrantFilter,
    InvoiceFilter,
    QuoteFilter,
    TicketFilter,
)
from portal_core.domain.paging import Listing
from portal_core.domain.records import ref_of
from portal_core.domain.tokens import digest_of
from portal_core.ports import Store, Transactions
from portal_core.use_cases.quotes import accept_quote, decline_quote

FACTS = (
    a_quote("Q1"),
    a_quote("Q2"),
    an_order("O1"),
    an_invoice("I1"),
    an_invoice("I2", eur("50.00")),
    a_payment("P1", allocations=(paid("I1", eur("100.00")),)),
)
A_FILE = a_file(DocumentRef(DocumentType.INVOICE, "I1"))
BY_MOMENT = Listing(sort="created_at")


class TransactionsContract:
    """`begin()`: commit at the end, roll back on whatever is raised."""

    single_threaded = False
    """Set this in a subclass for a store that may be used by one thread only."""

    def test_what_is_committed_is_there_in_the_next_transaction(self, transactions: Transactions) -> None:
        _fill(transactions)
        before = _everything(transactions)

        with transactions.begin() as store:
            _write_everywhere(store)
            within = _seen(store)

        after = _everything(transactions)
        assert after == within
        assert [name for name in after if after[name] == before[name]] == []

    def test_what_is_committed_is_there_for_other_threads(self, transactions: Transactions) -> None:
        if self.single_threaded:
            pytest.skip("the store says that it is for one thread only")
        _fill(transactions)
        seen: list[dict[str, Any]] = []

        reader = Thread(target=lambda: seen.append(_everything(transactions)))
        reader.start()
        reader.join()

        assert seen == [_everything(transactions)]

    @pytest.mark.parametrize("failure", [ValueError("bug"), NotOpen("refused"), KeyboardInterrupt(), SystemExit(1)])
    def test_a_failure_leaves_no_trace_and_is_raised_as_it_is(
        self, transactions: Transactions, failure: BaseException
    ) -> None:
        _fill(transactions)
        before = _everything(transactions)

        with pytest.raises(type(failure)) as raised:
            _fail(transactions, failure)

        assert raised.value is failure
        assert _everything(transactions) == before

    def test_a_fault_after_any_call_leaves_no_trace(self, transactions: Transactions) -> None:
        _fill(transactions)
        before = _everything(transactions)
        faults = 0

        for calls in count(1):
            try:
                with transactions.begin() as store:
                    _write_until_it_breaks(store, after=calls)
            except _Fault:
                faults += 1
            except _NoFault:
                break
            assert _everything(transactions) == before

        assert faults > 10
        assert _everything(transactions) == before

    def test_failures_do_not_use_the_store_up(self, transactions: Transactions) -> None:
        _fill(transactions)
        before = _everything(transactions)

        # Errors are kept, as a log or a debugger may keep them, and with them whatever they hold on to.
        kept = [_raised(transactions) for _ in range(50)]

        assert _everything(transactions) == before
        assert len(kept) == 50

    def test_the_first_transaction_of_all_may_fail(self, transactions: Transactions) -> None:
        with suppress(ValueError), transactions.begin() as store:
            store.intake.save([a_company()])
            raise ValueError

        with transactions.begin() as store:
            assert list(store.facts.each()) == []

    def test_a_transaction_goes_on_as_if_nothing_had_been_before_it(self, transactions: Transactions) -> None:
        _fill(transactions)
        with suppress(ValueError):
            _fail(transactions, ValueError())

        with transactions.begin() as store:
            _write_everywhere(store)
            within = _seen(store)

        assert _everything(transactions) == within

    def test_a_refusal_that_is_caught_loses_nothing(self, transactions: Transactions) -> None:
        _fill(transactions)

        with transactions.begin() as store:
            store.grants.add(a_grant("G2"))
            accept_quote(store, a_visit(), a_quote("Q2").id, evidence(), seen=1, now=NOW)
            with pytest.raises(AlreadyDecided):
                decline_quote(store, a_visit(), a_quote("Q2").id, evidence(), seen=1, now=NOW)
            store.tickets.add(a_ticket("T2"))

        with transactions.begin() as store:
            decisions = store.decisions.page(COMPANY, BY_MOMENT, DecisionFilter(quote_id=a_quote("Q2").id))
            assert store.grants.get(COMPANY, a_grant("G2").id) == a_grant("G2")
            assert store.tickets.get(COMPANY, a_ticket("T2").id, TicketFilter()) == a_ticket("T2")
            assert decisions.total == 1

    def test_an_empty_transaction_changes_nothing(self, transactions: Transactions) -> None:
        _fill(transactions)
        before = _everything(transactions)

        with transactions.begin():
            pass

        assert _everything(transactions) == before


def _fill(transactions: Transactions) -> None:
    prepare(transactions, *FACTS)
    with transactions.begin() as store:
        store.grants.add(a_grant(secrets=(a_secret(1),)))
        store.tickets.add(a_ticket())
        store.attachments.attach(A_FILE)
        store.events.append(an_event("E1"))
        store.audit.append(an_audit_entry("A1"))
        store.answers.keep(a_key(), an_answer(), since=NOW)


def _write_everywhere(store: Store) -> None:
    saved = (
        a_company(name="renamed"),
        a_client(name="renamed"),
        an_order("O2"),
        evolve(FACTS[1], notes="changed"),
        a_payment("P2", allocations=(paid("I2", eur("50.00")),)),
    )
    change(store, COMPANY, saved=saved, removed=[ref_of(a_payment("P1")), ref_of(an_order("O1"))])
    keep_decision(store, a_quote("Q1"), a_decision(a_quote("Q1")))
    store.grants.update(a_grant(label="changed", secrets=(a_secret(2),)))
    store.grants.add(a_grant("G2"))
    store.links.touch([Use(COMPANY, a_grant().id, moment(1))])
    reply = Reply(by=Party.STAFF, message="Soon.", created_at=NOW)
    store.tickets.update(a_ticket().reply(reply), was=a_ticket())
    store.tickets.add(a_ticket("T2"))
    store.attachments.remove(COMPANY, [A_FILE.document])
    store.attachments.attach(a_file(DocumentRef(DocumentType.INVOICE, "I2")))
    store.events.append(an_event("E2"))
    store.audit.append(an_audit_entry("A2"))
    store.answers.prune(before=moment(1))
    store.answers.keep(a_key("K2"), an_answer(), since=NOW)


def _fail(transactions: Transactions, failure: BaseException) -> None:
    with transactions.begin() as store:
        _write_everywhere(store)
        raise failure


def _raised(transactions: Transactions) -> Exception:
    try:
        _fail(transactions, NotOpen("refused"))
    except NotOpen as refusal:
        return refusal
    pytest.fail("what the block raised was lost")


class _Fault(Exception):
    """What breaks down in the middle of a use case."""


class _NoFault(Exception):
    """The use case was done before anything broke."""


@frozen
class _Breaking:
    """A port that breaks down when it has answered its part of so many calls."""

    port: object
    calls: Iterator[int]
    after: int

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self.port, name)

        def answer(*args: Any, **kwargs: Any) -> object:
            answered = method(*args, **kwargs)
            if next(self.calls) == self.after:
                raise _Fault
            return answered

        return answer


def _write_until_it_breaks(store: Store, *, after: int) -> None:
    _write_everywhere(_breaking(store, after=after))
    raise _NoFault


def _breaking(store: Store, *, after: int) -> Store:
    calls = count(1)
    names = [each.name for each in fields(Store) if each.name != "mint"]
    broken: dict[str, Any] = {name: _Breaking(getattr(store, name), calls, after) for name in names}
    return evolve(store, **broken)


def _everything(transactions: Transactions) -> dict[str, Any]:
    with transactions.begin() as store:
        return _seen(store)


def _seen(store: Store) -> dict[str, Any]:
    return {
        "company": store.companies.get(COMPANY),
        "client": store.clients.get(COMPANY, SCOPE.client_id),
        "facts": list(store.facts.each()),
        "quotes": store.quotes.page(SCOPE, Listing(sort="number"), QuoteFilter(), on=TODAY),
        "invoices": store.invoices.page(SCOPE, Listing(sort="number"), InvoiceFilter(), on=TODAY),
        "payments": store.payments.page(SCOPE, Listing(sort="number")),
        "account": store.accounts.periods(SCOPE, unit=None, since=None, until=None, on=TODAY, most=100),
        "balances": store.balances.get(SCOPE, on=TODAY),
        "grants": store.grants.page(COMPANY, BY_MOMENT, GrantFilter(), at=NOW),
        "opened": [store.links.open(digest_of(a_token(seed)), at=NOW) is not None for seed in (1, 2)],
        "decisions": store.decisions.page(COMPANY, BY_MOMENT, DecisionFilter()),
        "tickets": store.tickets.page(COMPANY, BY_MOMENT, TicketFilter()),
        "audit": store.audit.page(COMPANY, BY_MOMENT, AuditFilter()),
        "files": [store.documents.find(SCOPE, DocumentRef(DocumentType.INVOICE, each)) for each in ("I1", "I2")],
        "events": store.events.page(COMPANY, after=None, limit=100),
        "answers": [store.answers.find(a_key(key), since=NOW) for key in ("K1", "K2")],
    }
