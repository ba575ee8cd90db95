"""The kinds of column that the tables are made of, alike on every database."""

from datetime import UTC, datetime, timedelta
from typing import Any, final

from sqlalchemy import BigInteger, Column, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)
_LONGEST_ID = 128


@final
class Moment(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds since 1970 in UTC: exact, ordered, and never without its offset."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the microseconds of an aware moment."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ANN401 - as the library calls it
        """Return what makes moments of a column's values, without the layers that a decorated type has for it."""
        return _maybe_moment_of


def moment_of(microseconds: int) -> datetime:
    """Return the moment that many microseconds after the beginning of 1970, in UTC."""
    return EPOCH + timedelta(microseconds=microseconds)


def _maybe_moment_of(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else moment_of(microseconds)


def id_type() -> TypeEngine[str]:
    """Return the type of ids: at most 128 characters, ordered by code point."""
    return String(_LONGEST_ID).with_variant(String(_LONGEST_ID, collation="C"), "postgresql")


def sorted_text_type() -> TypeEngine[str]:
    """Return the type of text that lists are sorted by: ordered by code point on every database."""
    return Text().with_variant(Text(collation="C"), "postgresql")


def key(name: str) -> Column[str]:
    """Return an id that is a part of the primary key."""
    return Column(name, id_type(), primary_key=True)


def id_of(name: str, *, nullable: bool = False) -> Column[str]:
    """Return an id that names another record."""
    return Column(name, id_type(), nullable=nullable)


def text(name: str) -> Column[str]:
    """Return text that is always there."""
    return Column(name, Text, nullable=False)


def maybe_text(name: str) -> Column[str]:
    """Return text that may be missing."""
    return Column(name, Text)


def number(name: str = "number") -> Column[str]:
    """Return a document's number, by which lists can be sorted."""
    return Column(name, sorted_text_type(), nullable=False)


def code(name: str, *, nullable: bool = False) -> Column[str]:
    """Return one word of a fixed list: a state, a kind."""
    return Column(name, String(32), nullable=nullable)


def currency_code(name: str = "currency", *, primary_key: bool = False) -> Column[str]:
    """Return the code of an ISO 4217 currency."""
    return Column(name, String(3), nullable=False, primary_key=primary_key)


def minor_units(name: str, *, nullable: bool = False) -> Column[int]:
    """Return an amount in minor units of the currency beside it."""
    return Column(name, BigInteger, nullable=nullable)
