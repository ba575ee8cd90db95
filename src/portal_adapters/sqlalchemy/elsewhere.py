"""A host's own tables in the place of ours: views laid over them, and decisions on quotes that are kept elsewhere."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, final

from attrs import field, fields, frozen
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    FromClause,
    Select,
    String,
    Table,
    Text,
    bindparam,
    cast,
    collate,
    event,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from portal_adapters.sqlalchemy import schema
from portal_adapters.sqlalchemy.audit import note
from portal_adapters.sqlalchemy.decisions import DECISION_COLUMNS, SqlDecisions, decision_of
from portal_adapters.sqlalchemy.dialects import OVERLAID, insert_into
from portal_adapters.sqlalchemy.events import tell
from portal_adapters.sqlalchemy.values import dump_evidence
from portal_core.domain.access import Scope
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import CompanyId, DecisionId, QuoteId
from portal_core.domain.lines import OrderLine
from portal_core.domain.paging import Listing, Page
from portal_core.domain.payments import SHOWN_PAYMENT_STATES
from portal_core.domain.quotes import Decision, Quote, QuoteState
from portal_core.ports import Decisions, Quotes

Source: TypeAlias = "ColumnElement[Any] | str | int | None"
"""Where a column of ours comes from: a host's column, an expression, or one value for all rows."""

# What the intake works out where it keeps the facts, and nobody needs where it does not; and lists that may be empty.
_DEFAULTS: Final[Mapping[str, Source]] = {
    "document_sha256": None,
    "lines": "[]",
    "instalments": "[]",
    "adjustments": "[]",
    "withdrawn": false(),
}
# By these, lists are ordered: by code point, whatever the host's database thinks of its language.
_SORTED: Final = frozenset({"id", "number"})

_LINE_MONEY: Final = frozenset({"subtotal", "total"})
_LINE_FIELDS: Final = frozenset(each.name for each in fields(OrderLine))

_OF_CLIENT = select(*DECISION_COLUMNS).where(
    schema.decisions.c.company_id == bindparam("company_id"), schema.decisions.c.client_id == bindparam("client_id")
)

_ON_REVISION = select(*DECISION_COLUMNS).where(
    schema.decisions.c.company_id == bindparam("company_id"),
    schema.decisions.c.quote_id == bindparam("quote_id"),
    schema.decisions.c.revision == bindparam("revision"),
)


@final
@frozen
class ColumnMap:
    """Where each column of one of our tables comes from; those that may be empty can be left out.

    `source` is what the columns are selected from, when it is a join; `where` leaves out the rows that are none.
    """

    columns: Mapping[str, Source]
    source: FromClause | None = field(default=None, kw_only=True)
    where: ColumnElement[bool] | None = field(default=None, kw_only=True)

    def sql(self, table: Table, dialect: Dialect) -> str:
        """Return the map as a SELECT; raise ValueError for a column that is unknown, or missing and needed."""
        self._require_fit(table)
        statement = select(*(self._column(each, dialect).label(each.name) for each in table.c))
        if self.source is not None:
            statement = statement.select_from(self.source)
        return _written(statement if self.where is None else statement.where(self.where), dialect)

    def _require_fit(self, table: Table) -> None:
        unknown = sorted(self.columns.keys() - table.c.keys())
        if unknown:
            raise ValueError(f"{table.name} has no {', '.join(unknown)}; it has {', '.join(table.c.keys())}")
        needed = {each.name for each in table.c if not each.nullable} - _DEFAULTS.keys()
        missing = sorted(needed - self.columns.keys())
        if missing:
            raise ValueError(f"{table.name} needs {', '.join(missing)}: say which column, or one value for all rows")

    def _column(self, column: Column[Any], dialect: Dialect) -> ColumnElement[Any]:
        given = self.columns.get(column.name, _DEFAULTS.get(column.name))
        if given is None:
            return cast(null(), column.type)
        if not isinstance(given, ColumnElement):
            return literal(given, column.type)
        if not isinstance(column.type, String):
            return given
        text = given if isinstance(given.type, String) else cast(given, String)
        return collate(text, "C") if column.name in _SORTED and dialect.name == "postgresql" else text


def overlay(engine: Engine, views: Mapping[Table, ColumnMap | str]) -> None:
    """Let views stand in for tables of ours, on every connection that the engine makes from now on.

    Each is a column map, or a SELECT in SQL that yields the columns of our table. They are temporary views, which both
    SQLite and PostgreSQL look into first: the host's schema and our tables stay as they are. Nothing can be written to
    what lies under one.
    """
    statements = [_view(table, view, engine.dialect) for table, view in views.items()]
    statements.append(_view(schema.document_counts, _written(_counts(), engine.dialect), engine.dialect))

    def lay(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[OVERLAID] = frozenset(views)
        cursor = connection.cursor()
        try:
            for statement in statements:
                cursor.execute(statement)
        finally:
            cursor.close()
        connection.commit()

    event.listen(engine, "connect", lay)
    engine.dispose()


@final
@frozen
class DecisionsOnQuotesElsewhere(Decisions):
    """Decisions in our table, on quotes that another port answers for.

    Each revision gets one decision, whatever races. That the quote still is what was judged is looked up in the same
    transaction: where the port locks what it reads, or the database lets one write at a time, nothing can come between.
    """

    connection: Connection
    quotes: Quotes

    def record(self, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        kept = self.quotes.get(Scope(quote.company_id, quote.client_id), quote.id)
        unchanged = (
            kept is not None
            and kept.recorded_state is QuoteState.SENT
            and kept.revision == quote.revision
            and kept.decision is None
            and kept.document_sha256() == quote.document_sha256()
        )
        if not unchanged:
            return False
        insert = insert_into(schema.decisions, self.connection.dialect.name).on_conflict_do_nothing()
        if self.connection.execute(insert, _row(decision)).rowcount != 1:
            return False
        tell(self.connection, event)
        note(self.connection, entry)
        return True

    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        return SqlDecisions(self.connection).get(company_id, decision_id)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
        return SqlDecisions(self.connection).page(company_id, listing, narrowed)


def decisions_of(connection: Connection, scope: Scope) -> Mapping[tuple[QuoteId, int], Decision]:
    """Return a client's decisions by quote and revision, for a port that reads the quotes elsewhere."""
    rows = connection.execute(_OF_CLIENT, {"company_id": scope.company_id, "client_id": scope.client_id})
    decisions = map(decision_of, rows)
    return {(each.quote_id, each.revision): each for each in decisions}


def with_decision(connection: Connection, quote: Quote) -> Quote:
    """Return a quote with the decision on its revision, if there is one, for a port that reads one elsewhere."""
    row = connection.execute(
        _ON_REVISION,
        {"company_id": quote.company_id, "quote_id": quote.id, "revision": quote.revision},
    ).one_or_none()
    return quote if row is None else quote.decided(decision_of(row))


@final
class _json_objects(FunctionElement[str]):  # noqa: N801 - a function of SQL's
    """All rows as one text: a JSON array of objects, from names and values in turn; what is null is left out."""

    type = Text()
    inherit_cache = True


def lines_from(
    items: FromClause, parts: Mapping[str, Source], *, where: ColumnElement[bool], order_by: ColumnElement[Any]
) -> ColumnElement[str]:
    """Return the lines of a document, as `lines` holds them, out of a table of items.

    `parts` says where each field of a line comes from: `subtotal` and `total` in minor units, all others as text.
    `where` ties the items to their document.
    """
    unknown = sorted(parts.keys() - _LINE_FIELDS)
    if unknown:
        raise ValueError(f"a line has no {', '.join(unknown)}; it has {', '.join(sorted(_LINE_FIELDS))}")
    columns = [_part(name, given).label(name) for name, given in parts.items()]
    ordered = select(*columns).select_from(items).where(where).order_by(order_by).correlate_except(items).subquery()
    names_and_values = [each for name in parts for each in (literal(name, String), ordered.c[name])]
    return select(_json_objects(*names_and_values)).scalar_subquery()


def in_minor_units(amount: ColumnElement[Any], *, exponent: int = 2) -> ColumnElement[int]:
    """Return an amount of a NUMERIC column in minor units: 385.00 euros are 38500 cents."""
    return cast(func.round(amount * 10**exponent), schema.quotes.c.total.type)


def _part(name: str, given: Source) -> ColumnElement[Any]:
    if not isinstance(given, ColumnElement):
        return literal(given, String)
    return given if name in _LINE_MONEY or isinstance(given.type, String) else cast(given, String)


def _row(decision: Decision) -> Mapping[str, object]:
    return {
        "company_id": decision.company_id,
        "id": decision.id,
        "client_id": decision.client_id,
        "quote_id": decision.quote_id,
        "quote_number": decision.quote_number,
        "revision": decision.revision,
        "answer": decision.answer.value,
        "decided_at": decision.decided_at,
        "evidence": dump_evidence(decision.evidence),
        "document": decision.document,
        "document_sha256": decision.document_sha256,
        "consent_sha256": decision.consent_sha256,
    }


def _view(table: Table, view: ColumnMap | str, dialect: Dialect) -> str:
    sql = view if isinstance(view, str) else view.sql(table, dialect)
    return f"CREATE TEMPORARY VIEW {table.name} AS {sql}"


def _counts() -> Any:  # noqa: ANN401 - a union of selects
    """Return how many documents of each type a client can see, which the intake keeps where it keeps the facts."""
    shown = (
        (schema.quotes, "quote", schema.quotes.c.state != "draft"),
        (schema.orders, "order", None),
        (schema.deliveries, "delivery", schema.deliveries.c.state != "draft"),
        (schema.invoices, "invoice", schema.invoices.c.state == "posted"),
        (schema.payments, "payment", schema.payments.c.state.in_(sorted(SHOWN_PAYMENT_STATES))),
    )
    return union_all(*(_count(table, kind, condition) for table, kind, condition in shown))


def _count(table: Table, kind: str, shown: ColumnElement[bool] | None) -> Select[*tuple[Any, ...]]:
    counted = select(
        table.c.company_id, table.c.client_id, literal(kind).label("type"), func.count().label("documents")
    )
    grouped = counted.group_by(table.c.company_id, table.c.client_id)
    return grouped if shown is None else grouped.where(shown)


def _written(statement: Any, dialect: Dialect) -> str:  # noqa: ANN401 - a select or a union of them
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    # Drivers that mark parameters by a percent sign want it twice elsewhere; ours are asked without parameters.
    return sql.replace("%%", "%") if dialect.paramstyle in {"format", "pyformat"} else sql


@compiles(_json_objects, "sqlite")
def _json_objects_on_sqlite(rows: _json_objects, compiler: SQLCompiler, **how: Any) -> str:
    # A patch to nothing: what is null in a patch is taken away (RFC 7396).
    return f"json_group_array(json_patch('{{}}', json_object({compiler.process(rows.clauses, **how)})))"


@compiles(_json_objects, "postgresql")
def _json_objects_on_postgresql(rows: _json_objects, compiler: SQLCompiler, **how: Any) -> str:
    objects = f"json_strip_nulls(json_build_object({compiler.process(rows.clauses, **how)}))"
    return f"coalesce(json_agg({objects}), '[]')::text"
