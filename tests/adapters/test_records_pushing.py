"""Records that are pushed to the stores of SQL: packed, in one transaction, read in another thread than kept."""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import Any, TypeAlias

import pytest

from portal_adapters.contract.builders import NOW
from portal_adapters.contract.mint import CountingMint
from portal_adapters.records.pushing import stage_push
from portal_adapters.records.writing import export_records
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions
from portal_core.domain.audit import PROGRAM
from portal_core.domain.errors import InvalidInput
from portal_core.domain.ids import CompanyId
from portal_core.ports import Mint, Runner
from portal_core.use_cases.records import LineOutcome, Outcome, pack_of
from tests.adapters.stores import postgres_store, sqlite_store
from tests.adapters.test_records_importing import CLIENT, COMPANY, an_invoice

Opened: TypeAlias = Callable[[Mint], AbstractContextManager[SqlTransactions]]

OURS = CompanyId("acme")

STORES = [
    pytest.param(sqlite_store, id="sqlite"),
    pytest.param(postgres_store, id="postgres", marks=pytest.mark.postgres),
]


def lines(*records: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in records)


def push(transactions: SqlTransactions, content: bytes, *, atomic: bool = True) -> Sequence[LineOutcome]:
    with transactions.read() as store:
        pack = pack_of(store)
    with closing(stage_push(content, OURS, pack)) as shipment, transactions.begin() as store:
        return shipment.take_in(store, atomic=atomic, by=PROGRAM, now=NOW)


def outcomes(told: Sequence[LineOutcome]) -> list[Outcome | None]:
    return [each.outcome for each in told]


def exported(transactions: SqlTransactions) -> list[bytes]:
    with transactions.read() as store:
        return list(export_records(store))


@pytest.mark.parametrize("atomic", [True, False], ids=["at once", "each by itself"])
@pytest.mark.parametrize("opened", STORES)
def test_the_same_push_changes_nothing(opened: Opened, *, atomic: bool) -> None:
    content = lines(COMPANY, CLIENT, an_invoice("I1"))
    with opened(CountingMint()) as transactions:
        first = push(transactions, content, atomic=atomic)
        kept = exported(transactions)
        second = push(transactions, content, atomic=atomic)

        assert outcomes(first) == [Outcome.CREATED] * 3
        assert outcomes(second) == [Outcome.UNCHANGED] * 3
        assert exported(transactions) == kept


@pytest.mark.parametrize("opened", STORES)
def test_a_push_that_is_refused_leaves_nothing(opened: Opened) -> None:
    with opened(CountingMint()) as transactions:
        push(transactions, lines(COMPANY, CLIENT))
        kept = exported(transactions)

        with pytest.raises(InvalidInput) as refused:
            push(transactions, lines(an_invoice("I1"), {**an_invoice("I2"), "order_id": "none"}))

        assert [(each.line, each.pointer) for each in refused.value.problems] == [(2, "/order_id")]
        assert exported(transactions) == kept


@pytest.mark.parametrize("opened", STORES)
def test_each_by_itself_keeps_what_is_right(opened: Opened) -> None:
    wrong = {**an_invoice("I2"), "order_id": "none"}
    gone = {"type": "invoice", "company_id": OURS, "id": "I1", "deleted": True}
    with opened(CountingMint()) as transactions:
        push(transactions, lines(COMPANY, CLIENT, an_invoice("I1")))

        told = push(transactions, lines(wrong, an_invoice("I3"), gone), atomic=False)

        assert outcomes(told) == [None, Outcome.CREATED, Outcome.DELETED]
        assert [json.loads(each)["id"] for each in exported(transactions)] == [OURS, CLIENT["id"], "I3"]


def test_lines_are_read_in_one_thread_and_kept_in_another() -> None:
    content = lines(COMPANY, CLIENT, an_invoice("I1"))

    async def pushed(runner: Runner) -> Sequence[LineOutcome]:
        pack = await runner.read(pack_of)
        with closing(await asyncio.to_thread(stage_push, content, OURS, pack)) as shipment:
            return await runner.write(lambda store: shipment.take_in(store, atomic=True, by=PROGRAM, now=NOW))

    with sqlite_store(CountingMint()) as transactions:
        runner = SqliteRunner(transactions.engine, CountingMint())
        try:
            told = asyncio.run(pushed(runner))
        finally:
            runner.close()

    assert outcomes(told) == [Outcome.CREATED] * 3


@pytest.mark.postgres
def test_those_who_push_the_same_clients_in_different_orders_wait_for_each_other() -> None:
    clients = [CLIENT | {"id": f"C{place}"} for place in range(5)]
    records = [an_invoice(f"I{place}") | {"client_id": f"C{place}"} for place in range(5)]
    with postgres_store(CountingMint()) as transactions, ThreadPoolExecutor(6) as threads:
        push(transactions, lines(COMPANY, *clients))
        contents = [lines(*records), lines(*reversed(records))] * 15

        told = list(threads.map(partial(push, transactions, atomic=False), contents))

    assert all(each in {Outcome.CREATED, Outcome.UNCHANGED} for some in told for each in outcomes(some))
