"""What the lists of documents have in common: their scope, what narrows them, how many there are."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, ScalarSelect, String, Table, bindparam, literal_column, select

from portal_adapters.sqlalchemy.schema import document_counts
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.paging import Listing


def in_scope(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return that a row is the company's and the client's that are asked for."""
    return table.c.company_id == bindparam("company_id"), table.c.client_id == bindparam("client_id")


def told(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of a document: all but the checksum, which the intake keeps for itself."""
    return tuple(column for column in table.c if column.name != "checksum")


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return that a column has one of the values asked for."""
    return column.in_(bindparam(name, expanding=True))


def constant(word: StrEnum | str) -> ColumnElement[str]:
    """Return a fixed word, written as such and not as a parameter, so that indexes can rely on it."""
    return literal_column(f"'{word}'", String)


def number(value: int) -> ColumnElement[int]:
    """Return a fixed number, written as such."""
    return literal_column(str(value), Integer)


def is_one_of(column: ColumnElement[str], words: Iterable[StrEnum]) -> ColumnElement[bool]:
    """Return that a column has one of some fixed words."""
    return column.in_([constant(word) for word in sorted(words)])


def document_conditions(kind: DocumentType, table: Table, day: Column[Any]) -> dict[str, ColumnElement[bool]]:
    """Return what every list of documents can be narrowed to."""
    return {
        only_of(kind): among(table.c.id, only_of(kind)),
        "number": table.c.number == bindparam("number"),
        "since": day >= bindparam("since"),
        "until": day <= bindparam("until"),
    }


def only_of(kind: DocumentType) -> str:
    """Return the name of the condition that leaves the documents of a type that a link is narrowed to."""
    return f"only_{kind.value}"


SELECTIVE = frozenset({"number", *map(only_of, DocumentType)})
"""Those of the conditions of every list of documents that leave little of it."""


def scope_parameters(scope: Scope) -> dict[str, Any]:
    """Return the parameters of `in_scope`."""
    return {"company_id": scope.company_id, "client_id": scope.client_id}


def narrowing(scope: Scope, kind: DocumentType, listing: Listing, **filters: object) -> dict[str, Any]:
    """Return the parameters of the conditions that a list is narrowed by; those that are None are not asked for."""
    only = scope.only(kind)
    asked: Mapping[str, object] = {
        only_of(kind): None if only is None else sorted(only),
        "number": listing.number,
        "since": listing.since,
        "until": listing.until,
        **filters,
    }
    return {name: value for name, value in asked.items() if value is not None}


def words(values: frozenset[StrEnum] | None) -> list[str] | None:
    """Return what a filter asks for as text, in order, or nothing if it asks for nothing."""
    return None if values is None else sorted(each.value for each in values)


def kept_total(kind: DocumentType) -> ScalarSelect[int]:
    """Return how many documents of a type the client can see, as kept by the intake."""
    counted = select(document_counts.c.documents)
    return counted.where(*in_scope(document_counts), document_counts.c.type == constant(kind)).scalar_subquery()
