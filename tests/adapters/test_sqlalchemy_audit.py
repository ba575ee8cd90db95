"""The database keeps the audit log as it is, whoever asks it to do otherwise."""

from collections.abc import Generator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal_adapters.contract.builders import COMPANY, an_audit_entry
from portal_adapters.contract.feeding import prepare
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqlTransactions
from portal_core.domain.filters import AuditFilter
from portal_core.domain.paging import MOMENT_SORTS, Listing
from tests.adapters.stores import postgres_store, sqlite_store

STORES = {"sqlite": sqlite_store, "postgres": postgres_store}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def transactions(request: pytest.FixtureRequest) -> Generator[SqlTransactions]:
    opened: AbstractContextManager[SqlTransactions] = STORES[request.param](CountingMint())
    with opened as store:
        prepare(store)
        with store.begin() as within:
            within.audit.append(an_audit_entry())
        yield store


@pytest.mark.parametrize(
    "statement",
    ["UPDATE portal_audit SET actor = 'nobody'", "DELETE FROM portal_audit", "UPDATE portal_audit SET details = '{}'"],
)
def test_an_entry_of_the_audit_log_is_neither_changed_nor_removed(
    transactions: SqlTransactions, statement: str
) -> None:
    with (
        pytest.raises(DBAPIError, match="portal_audit is append-only"),
        transactions.engine.begin() as connection,
    ):
        connection.execute(text(statement))

    with transactions.begin() as store:
        page = store.audit.page(COMPANY, Listing(sort=MOMENT_SORTS[0]), AuditFilter())
    assert page.items == (an_audit_entry(),)


@pytest.mark.postgres
def test_the_audit_log_is_not_truncated() -> None:
    with (
        postgres_store(CountingMint()) as transactions,
        pytest.raises(DBAPIError, match="portal_audit is append-only"),
        transactions.engine.begin() as connection,
    ):
        connection.execute(text("TRUNCATE portal_audit"))
