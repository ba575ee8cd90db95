"""What the commands share: how they open the database, and how they tell what was refused."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

import click

from portal_core.domain.errors import Busy, Refusal
from portal_core.ports import Store
from portal_http.settings import Settings, SettingsRefused

WRONG_USAGE = 2

T = TypeVar("T")

company = click.option("--company", "company_id", required=True, metavar="ID", help="The company's id.")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")


@contextmanager
def refusals() -> Generator[None]:
    """Tell what was refused in a sentence, without a traceback."""
    from portal_http.wiring import WiringRefused
    from portal_http.wiring.databases import SchemaOutdated

    try:
        yield
    except Busy as busy:
        raise click.ClickException(f"The database is busy: {busy.detail}") from None
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from None
    except SchemaOutdated as outdated:
        raise click.ClickException(str(outdated)) from None
    except (SettingsRefused, WiringRefused) as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(WRONG_USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


@contextmanager
def writing(settings: Settings) -> Generator[Store]:
    """Begin a transaction that writes, and commit it in the end."""
    from portal_http.wiring.databases import database

    with database(settings) as transactions, transactions.begin() as store:
        yield store


@contextmanager
def reading(settings: Settings) -> Generator[Store]:
    """Begin a transaction that only reads."""
    from portal_http.wiring.databases import database

    with database(settings) as transactions, transactions.read() as store:
        yield store


def json_of(value: object) -> str:
    """Return a value as JSON in one line."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
