"""Kept answers in SQL."""

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import final

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, select

from portal_adapters.sqlalchemy.columns import Moment
from portal_adapters.sqlalchemy.dialects import Insert, in_chunks, insert_into
from portal_adapters.sqlalchemy.documents import among
from portal_adapters.sqlalchemy.schema import answers
from portal_core.domain.ids import CompanyId
from portal_core.ports import Answers, KeptAnswer, KeyOfAnswer

_FIND = select(answers.c.fingerprint, answers.c.status, answers.c.body, answers.c.answered_at).where(
    answers.c.company_id == bindparam("company_id"),
    answers.c.asker == bindparam("asker"),
    answers.c.route == bindparam("route"),
    answers.c.key == bindparam("key"),
    answers.c.answered_at >= bindparam("since", type_=Moment),
)

_PRUNE = delete(answers).where(answers.c.answered_at < bindparam("before", type_=Moment))

_FORGET = delete(answers).where(answers.c.company_id == bindparam("company_id"), among(answers.c.asker, "askers"))


@final
@frozen
class SqlAnswers(Answers):
    connection: Connection

    def find(self, key: KeyOfAnswer, *, since: datetime) -> KeptAnswer | None:
        row = self.connection.execute(_FIND, {**_parameters(key), "since": since}).one_or_none()
        if row is None:
            return None
        return KeptAnswer(fingerprint=row.fingerprint, status=row.status, body=row.body, answered_at=row.answered_at)

    def keep(self, key: KeyOfAnswer, answer: KeptAnswer, *, since: datetime) -> bool:
        parameters = {
            **_parameters(key),
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "answered_at": answer.answered_at,
            "since": since,
        }
        return self.connection.execute(_keep(self.connection.dialect.name), parameters).rowcount == 1

    def prune(self, *, before: datetime) -> int:
        return self.connection.execute(_PRUNE, {"before": before}).rowcount

    def forget(self, company_id: CompanyId, askers: Collection[str]) -> int:
        chunks = ({"company_id": company_id, "askers": chunk} for chunk in in_chunks(askers))
        return sum(self.connection.execute(_FORGET, chunk).rowcount for chunk in chunks)


@cache
def _keep(dialect: str) -> Insert:
    columns = [column.name for column in answers.c]
    statement = insert_into(answers, dialect).values({name: bindparam(name) for name in columns})
    replaced = {name: statement.excluded[name] for name in ("fingerprint", "status", "body", "answered_at")}
    return statement.on_conflict_do_update(
        index_elements=["company_id", "asker", "route", "key"],
        set_=replaced,
        where=answers.c.answered_at < bindparam("since", type_=Moment),
    )


def _parameters(key: KeyOfAnswer) -> dict[str, str]:
    return {"company_id": key.company_id, "asker": key.asker, "route": key.route, "key": key.key}
