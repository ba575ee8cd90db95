"""Documents as JSON, and the one way to write them down for a signature (RFC 8785)."""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from portal_core.domain.money import Money, format_decimal

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"


def canonical_json(document: JSON) -> str:
    """Return the canonical form of RFC 8785 for documents without floats and with ASCII keys, as ours are."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def money_json(money: Money | None) -> JSON:
    """Return money as the contract writes it: {"amount": "1234.50", "currency": "EUR"}."""
    return None if money is None else {"amount": money.amount, "currency": money.currency.code}


def moment_json(moment: datetime) -> str:
    """Return a moment as the contract writes it: RFC 3339, in UTC, with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decimal_json(number: Decimal | None) -> JSON:
    """Return a quantity, rate or unit price as a decimal string."""
    return None if number is None else format_decimal(number)
