"""The servers that some tests need: where they are, and whether they answer."""

import os
import shutil
from functools import cache
from urllib.parse import urlsplit

import psycopg
import redis

POSTGRES_URL = os.environ.get("PORTAL_TEST_POSTGRES_URL", "postgresql://127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("PORTAL_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
CHROMIUM = os.environ.get("PORTAL_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

SERVERS = ("postgres", "redis", "browser")


@cache
def what_is_missing(server: str) -> str | None:
    """Return why tests cannot use the server, or nothing if they can."""
    match server:
        case "postgres":
            return _missing_postgres()
        case "redis":
            return _missing_redis()
        case _:
            return None if CHROMIUM else "no Chromium on the path nor in PORTAL_TEST_CHROMIUM"


def _missing_postgres() -> str | None:
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=2).close()
    except psycopg.OperationalError as problem:
        return f"PostgreSQL at {_address(POSTGRES_URL)} (PORTAL_TEST_POSTGRES_URL): {problem}"
    return None


def _missing_redis() -> str | None:
    try:
        with redis.Redis.from_url(REDIS_URL, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
    except redis.RedisError as problem:
        return f"Redis at {_address(REDIS_URL)} (PORTAL_TEST_REDIS_URL): {problem}"
    return None


def _address(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
