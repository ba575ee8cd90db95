"""The portal in a host of Django, which keeps its quotes and books its fitter in models of its own."""

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import psycopg
import pytest
from attrs import evolve, frozen
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext, override_settings
from psycopg.errors import LockNotAvailable
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table
from starlette.testclient import TestClient

from examples.django_shop.host import PREFIX, User, host
from examples.django_shop.models import Fitting, Quote, QuoteLine
from examples.django_shop.quotes import STATES, shop_store
from portal_adapters.contract import (
    DecisionsContract,
    DocumentsContract,
    FactsContract,
    FiltersContract,
    PagingContract,
    RacesContract,
    ScopingContract,
    TransactionsContract,
)
from portal_adapters.contract.builders import CLIENT, COMPANY, NOW, SCOPE, TODAY, a_quote, a_visit, day, evidence
from portal_adapters.contract.feeding import prepare
from portal_adapters.contract.races import Race
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy.django import DjangoRunner, DjangoTransactions, django_engine
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import ClientId, CompanyId, QuoteId
from portal_core.domain.ledger import Ledger
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Quote as PortalQuote
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.ports import Intake, Mint, Store, Transactions
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.quotes import accept_quote
from tests.adapters.stores import emptied_database
from tests.django_databases import Requests, django_on_postgres, django_on_sqlite
from tests.hosts.story import API, KEY, PUBLIC_URL, book, book_nothing, state_of, tell

SESSIONS = {"hers": User("user-7", "Ada Lovelace", SCOPE)}
MINT = RandomMint()
BY_NUMBER = Listing(sort="number", descending=False)

fittings = Table("django_shop_fitting", MetaData(), Column("quote_id", String))


@final
@frozen
class ShopIntake(Intake):
    """What a shop does by itself: it writes its quotes to its models.

    The portal's own table gets them too, for the ports that only know that one; nobody reads or decides them there.
    """

    others: Intake

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        return self.others.ledger(company_id, client_id, around)

    def save(self, facts: Iterable[Fact]) -> None:
        known = list(facts)
        for fact in known:
            if isinstance(fact, PortalQuote):
                offer(fact)
        self.others.save(known)

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        list(_named(company_id, refs).select_for_update())
        self.others.claim(company_id, refs)

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        _named(company_id, refs).delete()
        self.others.remove(company_id, refs)

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        self.others.settle(company_id, client_id, before=before, after=after)


def _named(company_id: CompanyId, refs: Collection[RecordRef]) -> QuerySet[Quote]:
    return Quote.objects.filter(branch=company_id, ref__in=[each.id for each in refs if each.type is RecordType.QUOTE])


def offer(quote: PortalQuote) -> None:
    """Write a quote to the shop's models."""
    status = next(ours for ours, theirs in STATES.items() if theirs is quote.recorded_state)
    row, _ = Quote.objects.update_or_create(
        branch=quote.company_id,
        ref=quote.id,
        defaults={
            "client": quote.client_id,
            "title": quote.number,
            "status": status,
            "version": quote.revision,
            "made_on": quote.issued_on,
            "good_until": quote.valid_until,
            "net": Decimal(quote.subtotal.amount),
            "vat": Decimal(quote.tax.amount),
            "gross": Decimal(quote.total.amount),
            "remarks": quote.notes or "",
            "conditions": quote.terms or "",
        },
    )
    QuoteLine.objects.filter(quote=row).delete()
    for place, line in enumerate(quote.lines, start=1):
        assert line.subtotal is not None
        assert line.total is not None
        QuoteLine.objects.create(
            quote=row,
            position=place,
            what=line.description,
            quantity=line.quantity,
            unit=line.unit or "",
            price=line.unit_price,
            net=Decimal(line.subtotal.amount),
            gross=Decimal(line.total.amount),
        )


def store_with_intake(on: Connection, mint: Mint) -> Store:
    store = shop_store(on, mint)
    return evolve(store, intake=ShopIntake(store.intake))


SHOP = Requests(DjangoTransactions(MINT, store_with_intake))


def create_tables() -> None:
    call_command("migrate", verbosity=0)
    connection.close()


def create_on_postgres(engine: Engine) -> None:
    with django_on_postgres(engine.url.render_as_string(hide_password=False)):
        create_tables()


@cache
def empty_file() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "shop.sqlite3"
        with django_on_sqlite(file):
            create_tables()
        return file.read_bytes()


@contextmanager
def on_sqlite(folder: Path) -> Generator[Transactions]:
    file = folder / "shop.sqlite3"
    file.write_bytes(empty_file())
    with django_on_sqlite(file):
        yield SHOP


@contextmanager
def on_postgres() -> Generator[Transactions]:
    with emptied_database(create_on_postgres) as url, django_on_postgres(url):
        for model in (QuoteLine, Quote, Fitting):
            model.objects.all().delete()
        yield SHOP


class QuotesContract(
    ScopingContract,
    PagingContract,
    FiltersContract,
    DocumentsContract,
    DecisionsContract,
    FactsContract,
    TransactionsContract,
    RacesContract,
):
    """What is promised of quotes; the rest of the contract has nothing to do with them.

    That every value is kept is not promised: the shop's quotes are in euros, and their lines are all items.
    """


class TestQuotesOnSqlite(QuotesContract):
    @pytest.fixture
    def transactions(self, tmp_path: Path) -> Generator[Transactions]:
        with on_sqlite(tmp_path) as transactions:
            yield transactions


@pytest.mark.postgres
class TestQuotesOnPostgresql(QuotesContract):
    @pytest.fixture
    def transactions(self) -> Generator[Transactions]:
        with on_postgres() as transactions:
            yield transactions


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def transactions(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Transactions]:
    with on_sqlite(tmp_path) if request.param == "sqlite" else on_postgres() as transactions:
        prepare(transactions, a_quote("Q1"), a_quote("Q2"))
        yield transactions


@pytest.fixture
def shop(transactions: Transactions) -> Generator[TestClient]:
    """Return the host as its users meet it; the portal's lifespan is never run."""
    del transactions  # They have made the tables, and told Django where.
    runner = DjangoRunner(DjangoTransactions(MINT, shop_store))
    app = host(runner, SESSIONS, public_url=PUBLIC_URL, key=KEY, clock=lambda: NOW)
    yield TestClient(app, cookies={"session": "hers"})
    runner.close()


def test_the_portal_tells_its_story_under_a_prefix(shop: TestClient) -> None:
    tell(shop, PREFIX)


def test_an_acceptance_and_a_model_of_the_hosts_are_committed_together_or_not_at_all(shop: TestClient) -> None:
    book(shop, django_engine(), fittings, shop_store)


def test_of_a_view_and_a_link_that_answer_at_once_one_decides_and_a_fitting_is_booked_for_an_acceptance_alone(
    shop: TestClient,
) -> None:
    def answer(ways: Sequence[str], worker: int) -> int:
        return shop.post(ways[worker], json={}).status_code

    for place in range(3, 8):
        prepare(SHOP, a_quote(f"Q{place}"))
        fitting = day(place).isoformat()
        with DjangoTransactions(MINT, shop_store).begin() as store:
            token = issue_link(store, COMPANY, NewGrant(client_id=CLIENT), LinkLife(), now=NOW).token
        accept = f"/my/quotes/Q{place}/accept?revision=1&fitting={fitting}"
        decline = f"{PREFIX}{API}/view/{token}/quotes/Q{place}/decline"

        codes = Race(2).run(partial(answer, (accept, decline)))

        assert sorted(codes) == [200, 409]
        assert Fitting.objects.filter(on=fitting).exists() is (codes[0] == 200)


@pytest.mark.parametrize("asked", ["", "revision=1", "revision=one&fitting=2026-04-01", "revision=1&fitting=soon"])
def test_a_view_that_is_asked_half_a_question_says_what_is_missing(shop: TestClient, asked: str) -> None:
    answer = shop.post(f"/my/quotes/Q1/accept?{asked}")

    assert answer.status_code == 400
    assert answer.json() == {"error": "Say which revision you saw, and a day for the fitting."}


def test_a_view_that_fails_leaves_neither_the_acceptance_nor_the_model(transactions: Transactions) -> None:
    with suppress(ZeroDivisionError), transactions.begin() as store:
        accept_quote(store, a_visit(), QuoteId("Q1"), evidence(), seen=1, now=NOW)
        Fitting.objects.create(on=TODAY, quote_id="Q1")
        raise ZeroDivisionError

    assert state_of(django_engine(), "Q1", shop_store) == "sent"
    assert not Fitting.objects.exists()


def test_a_view_that_catches_a_clash_within_the_block_is_told_that_nothing_is_accepted(
    transactions: Transactions,
) -> None:
    Fitting.objects.create(on=TODAY, quote_id="Q2")

    def accept_anyway() -> None:
        with transactions.begin() as store:
            accept_quote(store, a_visit(), QuoteId("Q1"), evidence(), seen=1, now=NOW)
            with suppress(IntegrityError):
                Fitting.objects.create(on=TODAY, quote_id="Q1")

    with pytest.raises(TransactionManagementError):
        accept_anyway()
    assert state_of(django_engine(), "Q1", shop_store) == "sent"


@pytest.mark.postgres
@pytest.mark.parametrize("transactions", ["postgres"], indirect=True)
def test_on_postgresql_nobody_changes_a_quote_while_it_is_decided(transactions: Transactions) -> None:
    with transactions.begin() as store:
        accept_quote(store, a_visit(), QuoteId("Q1"), evidence(), seen=1, now=NOW)

        with psycopg.connect(**connection.get_connection_params()) as other:
            other.execute("SET lock_timeout = 100")
            with pytest.raises(LockNotAvailable):
                other.execute("UPDATE django_shop_quote SET version = 2")


def test_the_shops_migrations_make_what_its_models_say(tmp_path: Path) -> None:
    with django_on_sqlite(tmp_path / "another.sqlite3"):
        call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)


class Nowhere:
    """A router that lets nobody have tables."""

    def allow_migrate(self, *_: object, **__: object) -> bool:
        return False


def test_the_portals_tables_are_where_djangos_router_lets_the_host_have_some(tmp_path: Path) -> None:
    with django_on_sqlite(tmp_path / "another.sqlite3"), override_settings(DATABASE_ROUTERS=[Nowhere()]):
        create_tables()

        assert connection.introspection.table_names() == ["django_migrations"]


def test_a_page_takes_two_statements_and_the_next_one_takes_one(transactions: Transactions) -> None:
    prepare(transactions, *(a_quote(f"Q{place}", valid_until=day(place % 3)) for place in range(50)))
    listing = Listing(sort="issued_on", limit=10)
    sent = QuoteFilter(states=frozenset({QuoteState.SENT}))

    with DjangoTransactions(MINT, shop_store).read() as store:
        with CaptureQueriesContext(connection) as first_statements:
            first = store.quotes.page(SCOPE, listing, sent, on=day(1))
        with CaptureQueriesContext(connection) as next_statements:
            store.quotes.page(SCOPE, evolve(listing, after=first.next, total=first.total), sent, on=day(1))

    assert (len(first.items), first.total) == (10, 33)
    assert (len(first_statements), len(next_statements)) == (2, 1)


@pytest.mark.postgres
@pytest.mark.parametrize("transactions", ["postgres"], indirect=True)
def test_threads_of_the_portal_let_go_of_their_connections(shop: TestClient) -> None:
    for _ in range(3):
        assert shop.get(f"{PREFIX}{API}/view/nothing/dashboard").status_code == 404

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone() == (1,)


def test_what_the_portal_refuses_books_nothing(shop: TestClient) -> None:
    book_nothing(shop, django_engine(), fittings)
