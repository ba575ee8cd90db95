import base64
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from portal_adapters.clock import now
from portal_adapters.contract.builders import NOW, a_webhook, an_event, moment
from portal_core.domain.errors import NotOpen
from portal_core.domain.events import EventType
from portal_core.domain.webhooks import SigningSecret

KEY = bytes(range(32))
BODY = '{"type":"quote.accepted","data":{"text":"Grüße 😀"}}'.encode()
SECOND = timedelta(seconds=1)


def test_the_reference_library_takes_the_signature_and_no_other() -> None:
    secret = SigningSecret(key=KEY, created_at=NOW)
    at = now()
    headers = {
        "webhook-id": "E1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": secret.signature("E1", at, BODY),
    }

    Reference(secret.text).verify(BODY, headers)
    for changed in (BODY + b" ", BODY[:-1]):
        with pytest.raises(WebhookVerificationError):
            Reference(secret.text).verify(changed, headers)


def test_a_secret_is_told_in_the_form_of_standard_webhooks() -> None:
    secret = SigningSecret(key=KEY, created_at=NOW)

    assert secret.text == f"whsec_{base64.b64encode(KEY).decode()}"
    assert base64.b64encode(KEY).decode() not in repr(secret)
    assert repr(KEY) not in repr(secret)


def test_every_living_secret_signs_the_newest_first() -> None:
    webhook = a_webhook(secrets=(SigningSecret(key=KEY, created_at=NOW),))
    fresh = SigningSecret(key=KEY[::-1], created_at=moment(1))

    rotated = webhook.rotate(fresh, others_die_at=moment(5))

    old, new = (each.signature("E1", moment(4), BODY) for each in rotated.secrets)
    assert rotated.signatures("E1", moment(4), BODY) == f"{new} {old}"
    assert rotated.signatures("E1", moment(5), BODY) == fresh.signature("E1", moment(5), BODY)


def test_a_secret_that_was_to_die_earlier_does_and_a_dead_one_is_dropped() -> None:
    dying = SigningSecret(key=KEY, created_at=NOW, dies_at=moment(2))
    dead = SigningSecret(key=KEY, created_at=NOW, dies_at=NOW)
    fresh = SigningSecret(key=KEY[::-1], created_at=moment(1))

    rotated = a_webhook(secrets=(dead, dying)).rotate(fresh, others_die_at=moment(5))

    assert rotated.secrets == (dying, fresh)


@pytest.mark.parametrize(
    "changes, wanted",
    [
        ({}, True),
        ({"events": frozenset({EventType.TOKEN_ISSUED})}, True),
        ({"events": frozenset({EventType.QUOTE_ACCEPTED})}, False),
        ({"created_at": NOW + SECOND}, False),
        ({"disabled_at": NOW}, False),
    ],
)
def test_a_webhook_wants_events_of_its_types_since_it_was_made_while_it_is_enabled(
    changes: dict[str, Any], *, wanted: bool
) -> None:
    webhook = evolve(a_webhook(), **changes)

    assert webhook.wants(an_event(type=EventType.TOKEN_ISSUED)) == wanted


def test_what_is_left_out_of_a_change_stays() -> None:
    webhook = a_webhook(description="before")

    assert webhook.amend(at=moment(1)) == webhook
    assert webhook.amend(at=moment(1), enabled=True, description=None) == evolve(webhook, description=None)


def test_a_webhook_is_disabled_and_enabled_again() -> None:
    webhook = a_webhook()

    disabled = webhook.amend(at=moment(1), enabled=False)

    assert (disabled.enabled, disabled.disabled_at) == (False, moment(1))
    with pytest.raises(NotOpen):
        disabled.require_enabled()
    assert disabled.amend(at=moment(2), enabled=True) == webhook
    webhook.require_enabled()
