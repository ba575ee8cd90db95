"""Quotes in a host's own table keep every promise that quotes in ours keep, through a column map laid over it."""

import asyncio
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, final

import pytest
from attrs import evolve, frozen
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    case,
    delete,
    literal,
    select,
)

from portal_adapters.contract import (
    DecisionsContract,
    DocumentsContract,
    FactsContract,
    FiltersContract,
    PagingContract,
    RacesContract,
    ScopingContract,
    TransactionsContract,
    ValuesContract,
)
from portal_adapters.contract.builders import NOW, SCOPE, TODAY, a_client, a_company, a_decision, a_quote, a_visit, eur
from portal_adapters.contract.feeding import keep_decision, prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite, schema, store_on
from portal_adapters.sqlalchemy.dialects import insert_into
from portal_adapters.sqlalchemy.elsewhere import (
    ColumnMap,
    DecisionsOnQuotesElsewhere,
    decisions_of,
    in_minor_units,
    lines_from,
    overlay,
)
from portal_adapters.sqlalchemy.postgres import open_postgres, open_postgres_async
from portal_adapters.sqlalchemy.values import dump_lines
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.lines import Line, LineKind
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Quote, QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.ports import Intake, Mint, Store, Transactions
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.feedback import NewTicket, submit_feedback
from tests.postgres import fresh_database

MINT = RandomMint()
BY_NUMBER = Listing(sort="number", descending=False)

shop = MetaData()
offers = Table(
    "offers",
    shop,
    Column("branch", String(128), primary_key=True),
    Column("ref", String(128), primary_key=True),
    Column("customer", String(128)),
    Column("title", String),
    Column("status", String),
    Column("version", Integer),
    Column("made_on", Date),
    Column("good_until", Date),
    Column("unit", String),
    Column("net", schema.quotes.c.total.type),
    Column("vat", schema.quotes.c.total.type),
    Column("gross", schema.quotes.c.total.type),
    Column("order_ref", String(128)),
    Column("remarks", String),
    Column("conditions", String),
    Column("positions", String),
    Column("taken_back", Boolean),
)

items = Table(
    "items",
    MetaData(),
    Column("branch", String(128), primary_key=True),
    Column("offer", String(128), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("what", String),
    Column("pieces", Numeric(12, 2).with_variant(String, "sqlite")),
    Column("unit", String),
    Column("cents", Integer),
)

STATUS = {
    QuoteState.DRAFT: "new",
    QuoteState.SENT: "open",
    QuoteState.ACCEPTED: "won",
    QuoteState.DECLINED: "lost",
    QuoteState.CANCELLED: "void",
}
QUOTES = ColumnMap(
    {
        "company_id": offers.c.branch,
        "id": offers.c.ref,
        "client_id": offers.c.customer,
        "number": offers.c.title,
        "state": case({word: state.value for state, word in STATUS.items()}, value=offers.c.status),
        "revision": offers.c.version,
        "issued_on": offers.c.made_on,
        "valid_until": offers.c.good_until,
        "currency": offers.c.unit,
        "subtotal": offers.c.net,
        "tax": offers.c.vat,
        "total": offers.c.gross,
        "order_id": offers.c.order_ref,
        "notes": offers.c.remarks,
        "terms": offers.c.conditions,
        "lines": offers.c.positions,
        "withdrawn": offers.c.taken_back,
    }
)


def an_offer(quote: Quote) -> dict[str, Any]:
    return {
        "branch": quote.company_id,
        "ref": quote.id,
        "customer": quote.client_id,
        "title": quote.number,
        "status": STATUS[quote.recorded_state],
        "version": quote.revision,
        "made_on": quote.issued_on,
        "good_until": quote.valid_until,
        "unit": quote.total.currency.code,
        "net": quote.subtotal.minor,
        "vat": quote.tax.minor,
        "gross": quote.total.minor,
        "order_ref": quote.order_id,
        "remarks": quote.notes,
        "conditions": quote.terms,
        "positions": dump_lines(quote.lines, quote.total.currency),
        "taken_back": quote.withdrawn,
    }


@final
@frozen
class OffersIntake(Intake):
    """What a host does by itself: it writes its offers to its own table."""

    connection: Connection
    others: Intake

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        return self.others.ledger(company_id, client_id, around)

    def save(self, facts: Iterable[Fact]) -> None:
        known = list(facts)
        insert = insert_into(offers, "sqlite")
        upsert = insert.on_conflict_do_update(index_elements=["branch", "ref"], set_=dict(insert.excluded))
        for fact in known:
            if isinstance(fact, Quote):
                self.connection.execute(upsert, an_offer(fact))
        with _uncovered(self.connection):
            self.others.save([fact for fact in known if not isinstance(fact, Quote)])

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        """On SQLite nobody else is writing."""

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        gone = [ref.id for ref in refs if ref.type is RecordType.QUOTE]
        self.connection.execute(delete(offers).where(offers.c.branch == company_id, offers.c.ref.in_(gone)))
        with _uncovered(self.connection):
            self.others.remove(company_id, [ref for ref in refs if ref.type is not RecordType.QUOTE])

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        with _uncovered(self.connection):
            self.others.settle(company_id, client_id, before=before, after=after)


@contextmanager
def _uncovered(connection: Connection) -> Generator[None]:
    """Take the view over the counts away for a while: an import runs where there is none."""
    name = schema.document_counts.name
    sql = connection.exec_driver_sql("SELECT sql FROM sqlite_temp_master WHERE name = ?", (name,)).scalar_one()
    connection.exec_driver_sql(f"DROP VIEW temp.{name}")
    try:
        yield
    finally:
        connection.exec_driver_sql(sql.replace("CREATE VIEW", "CREATE TEMPORARY VIEW"))


def shop_store(connection: Connection, mint: Mint) -> Store:
    store = store_on(connection, mint)
    return evolve(store, decisions=DecisionsOnQuotesElsewhere(connection, store.quotes))


@final
@frozen
class ShopTransactions(Transactions):
    engine: Engine

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.engine.begin() as connection:
            store = shop_store(connection, MINT)
            yield evolve(store, intake=OffersIntake(connection, store.intake))


def open_shop(engine: Engine) -> Engine:
    migrate(engine)
    shop.create_all(engine)
    overlay(engine, {schema.quotes: QUOTES})
    return engine


@pytest.fixture(scope="module")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    open_shop(open_sqlite(file)).dispose()
    return file.read_bytes()


class TestOffersInSqlite(
    ScopingContract,
    PagingContract,
    FiltersContract,
    ValuesContract,
    DocumentsContract,
    DecisionsContract,
    FactsContract,
    TransactionsContract,
    RacesContract,
):
    """What is promised of quotes; the rest of the contract has nothing to do with them."""

    @pytest.fixture
    def transactions(self, empty_shop: bytes, tmp_path: Path) -> Generator[Transactions]:
        file = tmp_path / "shop.sqlite3"
        file.write_bytes(empty_shop)
        engine = open_sqlite(file)
        overlay(engine, {schema.quotes: QUOTES})
        yield ShopTransactions(engine)
        engine.dispose()


def test_what_lies_under_a_view_is_not_written_to(tmp_path: Path) -> None:
    engine = open_shop(open_sqlite(tmp_path / "shop.sqlite3"))

    with pytest.raises(Exception, match="because it is a view"), engine.begin() as connection:
        shop_store(connection, MINT).intake.save([a_quote()])

    engine.dispose()


def test_what_the_portal_keeps_itself_is_there_beside_the_views(tmp_path: Path) -> None:
    plain = open_sqlite(tmp_path / "shop.sqlite3")
    migrate(plain)
    prepare(SqlTransactions(plain, MINT), a_quote("ours"))
    plain.dispose()

    engine = open_shop(open_sqlite(tmp_path / "shop.sqlite3"))

    with engine.begin() as connection:
        connection.execute(offers.insert(), an_offer(a_quote("theirs")))
        page = shop_store(connection, MINT).quotes.page(SCOPE, BY_NUMBER, QuoteFilter(), on=TODAY)
        client = shop_store(connection, MINT).clients.get(SCOPE.company_id, SCOPE.client_id)
    assert [each.id for each in page.items] == ["theirs"]
    assert page.total == 1
    assert client == a_client()
    engine.dispose()


@pytest.mark.postgres
def test_offers_in_postgresql_are_read_counted_and_decided_once() -> None:
    quote = a_quote("Q1", lines=())
    numbers = ["10", "9", "a", "B", "É", "~"]
    with fresh_database() as url:
        engine = open_shop(open_postgres(url))
        with engine.begin() as connection:
            rows = [an_offer(a_quote(f"Q{place}", number=each)) for place, each in enumerate(numbers, start=2)]
            connection.execute(offers.insert(), [an_offer(quote), *rows])
        with engine.begin() as connection:
            store = shop_store(connection, MINT)
            recorded = [keep_decision(store, quote, a_decision(quote)) for _ in range(2)]
        with engine.begin() as connection:
            store = shop_store(connection, MINT)
            page = store.quotes.page(SCOPE, BY_NUMBER, QuoteFilter(), on=TODAY)
            found = store.quotes.get(SCOPE, quote.id)
            kept = decisions_of(connection, SCOPE)
        engine.dispose()

    assert recorded == [True, False]
    assert [each.number for each in page.items] == sorted([*numbers, quote.number])
    assert page.total == len(numbers) + 1
    assert found == quote.decided(a_decision(quote))
    assert kept == {(quote.id, quote.revision): a_decision(quote)}


@pytest.mark.postgres
def test_an_asynchronous_engine_can_have_views_too() -> None:
    async def read(url: str) -> Quote | None:
        engine = open_postgres_async(url)
        overlay(engine.sync_engine, {schema.quotes: QUOTES})
        async with engine.connect() as connection:
            found = await connection.run_sync(lambda plain: shop_store(plain, MINT).quotes.get(SCOPE, a_quote().id))
        await engine.dispose()
        return found

    with fresh_database() as url:
        engine = open_shop(open_postgres(url))
        with engine.begin() as connection:
            connection.execute(offers.insert(), an_offer(a_quote()))
        engine.dispose()

        assert asyncio.run(read(url)) == a_quote()


def test_a_map_that_names_a_column_that_is_not_ours_is_refused(tmp_path: Path) -> None:
    wrong = evolve(QUOTES, columns={**QUOTES.columns, "due_on": offers.c.made_on})

    with pytest.raises(ValueError, match="portal_quotes has no due_on; it has company_id, id, "):
        overlay(open_sqlite(tmp_path / "shop.sqlite3"), {schema.quotes: wrong})


def test_a_map_that_leaves_out_what_is_needed_is_refused(tmp_path: Path) -> None:
    wrong = ColumnMap({"company_id": "shop", "id": offers.c.ref})

    with pytest.raises(ValueError, match=r"portal_clients needs name: say which column, or one value for all rows"):
        overlay(open_sqlite(tmp_path / "shop.sqlite3"), {schema.clients: wrong})


def test_a_map_may_join_tables_leave_out_rows_and_turn_numbers_into_text(tmp_path: Path) -> None:
    people = Table("people", MetaData(), Column("no", Integer, primary_key=True), Column("name", String))
    mails = Table("mails", MetaData(), Column("person", Integer, primary_key=True), Column("address", String))
    engine = open_sqlite(tmp_path / "shop.sqlite3")
    migrate(engine)
    for table in (people, mails):
        table.create(engine)
    clients = ColumnMap(
        {"company_id": "acme", "id": people.c.no, "name": people.c.name, "email": mails.c.address},
        source=people.outerjoin(mails, mails.c.person == people.c.no),
        where=people.c.name.not_like("%(closed)"),
    )
    overlay(engine, {schema.clients: clients})

    with engine.begin() as connection:
        rows = [{"no": 7, "name": "Byte & Sons"}, {"no": 8, "name": "Others (closed)"}]
        connection.execute(people.insert(), rows)
        connection.execute(mails.insert(), {"person": 7, "address": "byte@example.com"})
        store = store_on(connection, MINT)
        found = [store.clients.get(a_company().id, ClientId(each)) for each in ("7", "8")]

    assert found == [a_client(id=ClientId("7"), name="Byte & Sons", email="byte@example.com"), None]
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Engine]:
    """Open a database of each kind that has the portal's tables alone."""
    if request.param == "sqlite":
        engine = open_sqlite(tmp_path / "shop.sqlite3")
        migrate(engine)
        yield engine
        engine.dispose()
        return
    with fresh_database() as url:
        engine = open_postgres(url)
        migrate(engine)
        yield engine
        engine.dispose()


def test_a_link_is_issued_to_a_client_and_for_a_document_that_lie_under_views(empty: Engine) -> None:
    shop.create_all(empty)
    people = Table("people", MetaData(), Column("no", String, primary_key=True))
    people.create(empty)
    clients = ColumnMap(
        {"company_id": SCOPE.company_id, "id": people.c.no, "name": people.c.no, "email": offers.c.title},
        source=people.outerjoin(offers, offers.c.customer == people.c.no),
    )
    overlay(empty, {schema.clients: clients, schema.quotes: QUOTES})
    about = DocumentRef(DocumentType.QUOTE, "Q1")

    with empty.begin() as connection:
        connection.execute(people.insert(), {"no": SCOPE.client_id})
        connection.execute(offers.insert(), an_offer(a_quote("Q1")))
        store = shop_store(connection, MINT)
        asked = NewGrant(client_id=SCOPE.client_id, documents=frozenset({about}))
        link = issue_link(store, SCOPE.company_id, asked, LinkLife(), now=NOW)
        ticket = submit_feedback(store, a_visit(), NewTicket(subject="A", message="B", document=about), now=NOW)

    assert link.grant.client_id == SCOPE.client_id
    assert ticket.document == about
    empty.dispose()


def test_lines_come_from_a_table_of_items_in_their_order(empty: Engine) -> None:
    shop.create_all(empty)
    items.create(empty)
    lines = lines_from(
        items,
        {
            "id": items.c.position,
            "kind": "item",
            "description": items.c.what,
            "quantity": items.c.pieces,
            "unit": items.c.unit,
            "total": items.c.cents,
        },
        where=(items.c.branch == offers.c.branch) & (items.c.offer == offers.c.ref),
        order_by=items.c.position,
    )
    overlay(empty, {schema.quotes: ColumnMap({**QUOTES.columns, "lines": lines})})
    bare = {"branch": SCOPE.company_id, "offer": "Q1", "pieces": None, "unit": None, "cents": None}

    with empty.begin() as connection:
        connection.execute(offers.insert(), [an_offer(a_quote("Q1")), an_offer(a_quote("Q2"))])
        rows = [
            {**bare, "position": 10, "what": "Note 'ten' at 100 %"},
            {**bare, "position": 9, "what": "Oak table", "pieces": "2.50", "unit": "piece", "cents": 10_000},
            {**bare, "position": 1, "what": "Another branch's", "branch": "elsewhere"},
        ]
        connection.execute(items.insert(), rows)
        store = shop_store(connection, MINT)
        found = [store.quotes.get(SCOPE, a_quote(each).id) for each in ("Q1", "Q2")]

    assert [quote and quote.lines for quote in found] == [
        (
            Line(
                id="9",
                kind=LineKind.ITEM,
                description="Oak table",
                quantity=Decimal("2.50"),
                unit="piece",
                total=eur("100.00"),
            ),
            Line(id="10", kind=LineKind.ITEM, description="Note 'ten' at 100 %"),
        ),
        (),
    ]


def test_a_line_from_a_field_that_it_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match="a line has no price; it has delivered_quantity, "):
        lines_from(items, {"price": items.c.cents}, where=items.c.offer == offers.c.ref, order_by=items.c.position)


@pytest.mark.parametrize(
    "amount, exponent, minor", [("385.00", 2, 38_500), ("0.29", 2, 29), ("7", 0, 7), ("1.234", 3, 1_234)]
)
def test_amounts_become_minor_units(tmp_path: Path, amount: str, exponent: int, minor: int) -> None:
    engine = open_sqlite(tmp_path / "shop.sqlite3")

    with engine.begin() as connection:
        column = literal(float(amount), Numeric(12, 3, asdecimal=False))
        found = connection.scalar(select(in_minor_units(column, exponent=exponent)))

    assert found == minor
    engine.dispose()
