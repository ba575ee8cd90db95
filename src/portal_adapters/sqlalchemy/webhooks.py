"""Webhooks in SQL."""

import base64
from collections.abc import Iterable, Sequence
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from portal_adapters.sqlalchemy.columns import moment_of
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import constant
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import dispatches, webhooks
from portal_adapters.sqlalchemy.values import dump, load, microseconds_of
from portal_core.domain.events import EventType
from portal_core.domain.ids import CompanyId, WebhookId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.webhooks import SigningSecret, Webhook
from portal_core.ports import Webhooks

_OF_COMPANY = select(*webhooks.c).where(webhooks.c.company_id == bindparam("company_id"))

_ONE = _OF_COMPANY.where(webhooks.c.id == bindparam("webhook_id"))

_LIST = ListSource(rows=_OF_COMPANY, id=webhooks.c.id, sorts={"created_at": webhooks.c.created_at})

_ADD = insert(webhooks)

_THIS = and_(webhooks.c.company_id == bindparam("this_company_id"), webhooks.c.id == bindparam("this_id"))

_FIXED = frozenset({"company_id", "id", "created_at", "version"})

_UPDATE = (
    update(webhooks)
    .where(_THIS, webhooks.c.version == bindparam("this_version"))
    .values(
        {column.name: bindparam(column.name, type_=column.type) for column in webhooks.c if column.name not in _FIXED}
        | {"version": webhooks.c.version + 1}
    )
)

_REMOVE = delete(webhooks).where(_THIS)

_FORGET_SENT = delete(dispatches).where(
    dispatches.c.company_id == bindparam("company_id"),
    dispatches.c.channel == constant("webhook"),
    dispatches.c.target == bindparam("target"),
)


@final
@frozen
class SqlWebhooks(Webhooks):
    connection: Connection

    def get(self, company_id: CompanyId, webhook_id: WebhookId) -> Webhook | None:
        row = one(self.connection, _ONE, {"company_id": company_id, "webhook_id": webhook_id})
        return None if row is None else _webhook(row)

    def page(self, company_id: CompanyId, listing: Listing) -> Page[Webhook]:
        scope = {"company_id": company_id}
        return read_page(self.connection, _LIST, listing, scope=scope, narrowed={}, read=_webhooks)

    def add(self, webhook: Webhook) -> None:
        self.connection.execute(_ADD, _values(webhook))

    def update(self, webhook: Webhook) -> bool:
        this = {"this_company_id": webhook.company_id, "this_id": webhook.id, "this_version": webhook.version}
        changes = {name: value for name, value in _values(webhook).items() if name not in _FIXED}
        return self.connection.execute(_UPDATE, {**changes, **this}).rowcount == 1

    def remove(self, company_id: CompanyId, webhook_id: WebhookId) -> bool:
        removed = self.connection.execute(_REMOVE, {"this_company_id": company_id, "this_id": webhook_id})
        if removed.rowcount != 1:
            return False
        self.connection.execute(_FORGET_SENT, {"company_id": company_id, "target": webhook_id})
        return True


def _webhooks(rows: Sequence[AnyRow]) -> Sequence[Webhook]:
    return [_webhook(row) for row in rows]


def _webhook(row: AnyRow) -> Webhook:
    return Webhook(
        id=row.id,
        company_id=row.company_id,
        url=row.url,
        events=None if row.events is None else frozenset(map(EventType, load(row.events))),
        description=row.description,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        disabled_because=row.disabled_because,
        secrets=tuple(_load_secrets(row.secrets)),
        version=row.version,
    )


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        "company_id": webhook.company_id,
        "id": webhook.id,
        "url": webhook.url,
        "events": None if webhook.events is None else dump(sorted(webhook.events)),
        "description": webhook.description,
        "created_at": webhook.created_at,
        "disabled_at": webhook.disabled_at,
        "disabled_because": webhook.disabled_because,
        "secrets": dump([_dump_secret(secret) for secret in webhook.secrets]),
        "version": webhook.version,
    }


def _dump_secret(secret: SigningSecret) -> list[object]:
    dies_at = None if secret.dies_at is None else microseconds_of(secret.dies_at)
    return [base64.b64encode(secret.key).decode(), microseconds_of(secret.created_at), dies_at]


def _load_secrets(text: str) -> Iterable[SigningSecret]:
    for key, created_at, dies_at in load(text):
        yield SigningSecret(
            key=base64.b64decode(key),
            created_at=moment_of(created_at),
            dies_at=None if dies_at is None else moment_of(dies_at),
        )
