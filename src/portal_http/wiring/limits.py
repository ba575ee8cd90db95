"""Whether what counts requests answers."""

from collections.abc import Callable
from typing import Any, cast

from portal_http.settings import Settings


def ping_limits(settings: Settings) -> str | None:
    """Return why the limits' Redis does not answer, or nothing if it does."""
    from redis import Redis, RedisError  # noqa: PLC0415 - an extra that not everybody has

    try:
        connect = cast("Callable[..., Any]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType] - no types
        with connect(settings.rate_limit_url, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
    except (RedisError, ValueError) as problem:
        return str(problem)
    return None
