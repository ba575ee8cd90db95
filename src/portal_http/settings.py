"""The settings, from the environment and a TOML file: the only place that reads either."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from attrs import field, fields, frozen

from portal_core.domain.text import clean_email

PREFIX = "PORTAL_"
CONFIG = "PORTAL_CONFIG"
DEFAULT_FILE = "portal.toml"

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
LOG_FORMATS = ("text", "json")

MOST_PER_MINUTE = 1_000_000_000
MOST_DAYS = 36_500
MOST_MEGABYTES = 100
MOST_RECORD_BYTES = 32 * 1024 * 1024


class SettingsRefused(ValueError):
    """Settings are wrong; each sentence names the variable and says what it must be."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = tuple(sentences)


@frozen(kw_only=True)
class Settings:
    """What the stand-alone portal is told. Each field is the variable PORTAL_ and its name in capitals.

    In a TOML file a field is a key of its name; texts that hold several values are lists there, if you like.
    """

    database_url: str = field(default="sqlite:///portal.sqlite3", repr=False)
    """Where data is kept: `sqlite:///file` (relative to the working directory) or `postgresql://…`."""

    public_url: str | None = None
    """What links begin with. Without it they lead to this machine."""

    admin_jwt_key: str | None = field(default=None, repr=False)
    """What staff's tokens are checked with: a secret of 32 bytes or more, a public key in PEM, or a JWK set in JSON
    (several keys, chosen by `kid`); or `@` and a file that holds one of them."""

    admin_jwt_algorithm: str = "HS256"
    admin_jwt_issuer: str | None = None
    admin_jwt_audience: str = "portal"

    receipt_key: str | None = field(default=None, repr=False)
    """What receipts are signed with: an Ed25519 private key in PEM, after which those of earlier receipts may follow;
    or `@` and a file that holds them. Without it a key is derived from `admin_jwt_key`, where that is one secret."""

    rate_limit_url: str = field(default="memory://", repr=False)
    """Where requests are counted: `memory://` for one process, `redis://…` for several."""

    reads_per_minute: int = 30
    writes_per_minute: int = 10
    guesses_per_minute: int = 60
    """How many dead links an address may try. For all three limits, 0 counts without limiting."""

    document_max_mb: int = 10
    """How large a PDF may be that staff attach, in MiB."""

    records_max_bytes: int = 4 * 1024 * 1024
    """How many bytes of records may be pushed in one request."""

    token_days: int = 90
    token_max_days: int = 365
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    smtp_url: str | None = field(default=None, repr=False)
    """The server that takes mail: `smtp://user:password@host:587` (with STARTTLS where it is offered), `smtp+starttls://…`
    (never without), or `smtps://…:465`. Without it no mail is sent."""

    mail_from: str | None = None
    """Whom mail is from where a company has no address of its own."""

    deliver: bool = True
    """Whether `portal serve` sends what is to be sent by itself; where it does not, `portal deliver` must."""

    delivery_schedule: tuple[float, ...] = ()
    """How many seconds to wait before each further attempt; without it, that of Standard Webhooks."""

    webhook_allowed_networks: tuple[str, ...] = ()
    """Networks that webhooks may lead to although they are not public."""

    log_format: str = "text"
    metrics: bool = False
    """Whether `/metrics` shows figures for Prometheus, to whoever can reach it."""

    templates: tuple[Path, ...] = ()
    """Folders with templates, and with catalogues in `locales` below them, that come before ours."""

    support_text: str | None = None
    """What the page of a dead link says about where to ask for a new one."""


def load_settings() -> Settings:
    """Return the settings of this process: the environment's, else the TOML file's, else the defaults.

    The file is the one that PORTAL_CONFIG names, or portal.toml in the working directory where there is one.
    Raises SettingsRefused with a sentence for every value that is wrong.
    """
    stated = os.environ.get(CONFIG)
    file = Path(stated or DEFAULT_FILE)
    if stated and not file.is_file():
        raise SettingsRefused([f"{CONFIG} names {stated}, which is no file."])
    return settings_of(_read_toml(file) if file.is_file() else {}, os.environ)


def hand_down(*, public_url: str) -> None:
    """Let worker processes inherit what a command line decided."""
    os.environ[f"{PREFIX}PUBLIC_URL"] = public_url


def settings_of(toml: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """Return the settings that a TOML file's table and an environment make; the environment wins."""
    known = {each.name: each.type for each in fields(Settings)}
    sentences = [
        f"{name} is no setting. Known are {', '.join(sorted(known))}." for name in toml if _name(name) not in known
    ]
    given: dict[str, object] = {_name(name): value for name, value in toml.items() if _name(name) in known}
    given |= {
        name: environment[_variable(name)] for name in known if environment.get(_variable(name), "").strip() != ""
    }
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = _CHECKS[name](value)
        except ValueError as wrong:
            sentences.append(f"{_variable(name)} {wrong}.")
    settings = None if sentences else Settings(**values)
    if settings is not None and settings.token_days > settings.token_max_days:
        sentences.append(
            f"PORTAL_TOKEN_DAYS ({settings.token_days}) must not be more than "
            f"PORTAL_TOKEN_MAX_DAYS ({settings.token_max_days})."
        )
    if settings is None or sentences:
        raise SettingsRefused(sentences)
    return settings


def _read_toml(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsRefused([f"{file} is no TOML file: {wrong}."]) from None
    except OSError as wrong:
        raise SettingsRefused([f"{file} cannot be read: {wrong.strerror}."]) from None


def _name(key: str) -> str:
    return key.lower().removeprefix(PREFIX.lower())


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    return value.strip()


def _database(value: object) -> str:
    url = _text(value)
    if url.partition(":")[0].partition("+")[0] not in {"sqlite", "postgresql"}:
        raise ValueError("must be sqlite:///file or postgresql://user@host/database")
    return url


def _public_url(value: object) -> str:
    url = _text(value).rstrip("/")
    parts = _split(url)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not parts.hostname
        or parts.query
        or parts.fragment
        or parts.username
    ):
        raise ValueError(f"must be an address like https://portal.example.com, not {url!r}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, {"http": 80, "https": 443}[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return None if parts.port == 0 else parts  # noqa: TRY300 - the port is what may be wrong
    except ValueError:
        return None


def _key(value: object) -> str:
    text = _text(value)
    if not text.startswith("@"):
        return text
    file = Path(text[1:])
    try:
        return _text(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise ValueError(f"names {file}, which cannot be read: {wrong.strerror}") from None
    except ValueError:
        raise ValueError(f"names {file}, which holds no text") from None


def _one_of(*allowed: str) -> Any:  # noqa: ANN401 - as the table of checks
    def check(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}, not {value!r}")
        return str(value)

    return check


def _limits_url(value: object) -> str:
    url = _text(value)
    if url.partition(":")[0] not in {"memory", "redis", "rediss"}:
        raise ValueError("must be memory:// or redis://host:port/number")
    return url


def _count(smallest: int, most: int) -> Any:  # noqa: ANN401 - as the table of checks
    def check(value: object) -> int:
        text = str(value)
        count = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else -1
        if isinstance(value, bool) or not smallest <= count <= most:
            raise ValueError(f"must be a whole number from {smallest} to {most}, not {value!r}")
        return count

    return check


def _several(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise ValueError("must be values with commas between them")  # noqa: TRY004 - the value is wrong, not the program
    return tuple(text for each in parts if (text := str(each).strip()))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - TOML has no types


def _switch(value: object) -> bool:
    words = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise ValueError(f"must be on or off, not {value!r}")
    return found


def _hosts(value: object) -> tuple[str, ...]:
    hosts = _several(value)
    for each in hosts:
        if re.fullmatch(r"(\*\.)?[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]", each) is None:
            raise ValueError(f"must be names like portal.example.com, without a port; {each!r} is none")
    return hosts


def _smtp_url(value: object) -> str:
    url = _text(value)
    parts = _split(url)
    if parts is None or parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
        raise ValueError("must be smtp://user:password@host:587, smtp+starttls://… or smtps://host:465")
    return url


def _email(value: object) -> str:
    return clean_email(_text(value))


def _waits(value: object) -> tuple[float, ...]:
    waits = _several(value)
    for each in waits:
        if re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,3})?", each) is None:
            raise ValueError(f"must be seconds with commas between them, like 5,300,1800; {each!r} is none")
    return tuple(map(float, waits))


def _networks(value: object) -> tuple[str, ...]:
    networks = _several(value)
    for each in networks:
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"must be addresses or networks like 10.0.0.0/8; {each!r} is none") from None
    return networks


def _folders(value: object) -> tuple[Path, ...]:
    folders = tuple(Path(each) for each in _several(value))
    for each in folders:
        if not each.is_dir():
            raise ValueError(f"must be folders that are there; {str(each)!r} is none")
    return folders


_CHECKS: Mapping[str, Any] = {
    "database_url": _database,
    "public_url": _public_url,
    "admin_jwt_key": _key,
    "admin_jwt_algorithm": _one_of(*ALGORITHMS),
    "admin_jwt_issuer": _text,
    "admin_jwt_audience": _text,
    "receipt_key": _key,
    "rate_limit_url": _limits_url,
    "reads_per_minute": _count(0, MOST_PER_MINUTE),
    "writes_per_minute": _count(0, MOST_PER_MINUTE),
    "guesses_per_minute": _count(0, MOST_PER_MINUTE),
    "token_days": _count(1, MOST_DAYS),
    "document_max_mb": _count(1, MOST_MEGABYTES),
    "records_max_bytes": _count(1024, MOST_RECORD_BYTES),
    "token_max_days": _count(1, MOST_DAYS),
    "allowed_hosts": _hosts,
    "trusted_proxies": _networks,
    "smtp_url": _smtp_url,
    "mail_from": _email,
    "deliver": _switch,
    "delivery_schedule": _waits,
    "webhook_allowed_networks": _networks,
    "log_format": _one_of(*LOG_FORMATS),
    "metrics": _switch,
    "templates": _folders,
    "support_text": _text,
}
