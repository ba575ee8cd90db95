"""The migrations make what the schema declares, and a database that is not there yet is told what to run."""

import re
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, text
from sqlalchemy.schema import CreateTable

from portal_adapters.sqlalchemy import SchemaOutdated, metadata, migrate, open_sqlite, require_current_schema
from portal_adapters.sqlalchemy.engine import READING
from portal_adapters.sqlalchemy.migrating import EXPECTED_REVISION, VERSION_TABLE, migrations_config
from tests.adapters.stores import postgres_engine
from tests.postgres import fresh_database


@pytest.fixture
def engine(tmp_path: Path) -> Generator[Engine]:
    engine = open_sqlite(tmp_path / "portal.sqlite3")
    yield engine
    engine.dispose()


def test_the_migrations_make_what_the_schema_declares(engine: Engine, tmp_path: Path) -> None:
    declared = open_sqlite(tmp_path / "declared.sqlite3")
    with declared.begin() as connection:
        metadata.create_all(connection)

    migrate(engine)

    assert _made(engine) == _made(declared)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    declared.dispose()


def test_the_expected_revision_is_the_newest() -> None:
    assert ScriptDirectory.from_config(migrations_config()).get_current_head() == EXPECTED_REVISION


def test_a_migration_can_be_taken_back_and_run_again(engine: Engine) -> None:
    migrate(engine)
    made = _made(engine)
    config = migrations_config()

    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    left = _made(engine)
    migrate(engine)

    assert [name for name in left if name != VERSION_TABLE] == []
    assert _made(engine) == made


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    made = _made(engine)

    migrate(engine)

    assert _made(engine) == made


def test_a_host_keeps_its_own_tables_and_migrations(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))

    migrate(engine)

    with engine.begin() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == ["theirs"]


def test_a_database_that_was_never_set_up_is_told_what_to_run(engine: Engine) -> None:
    with pytest.raises(SchemaOutdated, match=r"^The database was never set up; run `portal migrate` first\.$"):
        require_current_schema(engine)


def test_a_database_of_an_older_version_is_told_what_to_run(engine: Engine) -> None:
    migrate(engine)
    _pretend(engine, "0001")

    with pytest.raises(SchemaOutdated, match=r"0001.*run `portal migrate`"):
        require_current_schema(engine)


def test_a_database_of_a_newer_version_is_left_alone_and_told_what_to_install(engine: Engine) -> None:
    migrate(engine)
    _pretend(engine, "9999")

    for refuse in (require_current_schema, migrate):
        with pytest.raises(SchemaOutdated, match=r"9999.*install the newer version\.$"):
            refuse(engine)


@pytest.mark.postgres
def test_processes_that_set_up_one_database_at_once_take_turns() -> None:
    with fresh_database() as url, ExitStack() as opened:
        engines = [opened.enter_context(postgres_engine(url, patience_seconds=60.0)) for _ in range(4)]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(migrate, engines))

        require_current_schema(engines[0])


def test_a_migrated_database_is_current_even_while_somebody_writes(engine: Engine) -> None:
    migrate(engine)

    with engine.begin():
        require_current_schema(engine)


def test_alembic_is_not_imported_before_it_is_needed() -> None:
    program = "import sys, portal_adapters.sqlalchemy; print('alembic' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert answer.stdout == "False\n"


def test_the_company_leads_every_key_and_index() -> None:
    keys = {table.name: next(iter(table.primary_key)).name for table in metadata.tables.values()}
    indexes = {
        index.name: next(iter(index.columns)).name for table in metadata.tables.values() for index in table.indexes
    }

    assert {name: first for name, first in (keys | indexes).items() if first != "company_id"} == {
        "portal_digests": "digest",
        "portal_dispatches_due": "due_at",
    }


def test_ids_and_numbers_are_ordered_by_code_point_on_every_database() -> None:
    dialect = URL.create("postgresql+psycopg").get_dialect()()

    made = str(CreateTable(metadata.tables["portal_quotes"]).compile(dialect=dialect))

    for column in ("company_id", "id", "client_id", "number"):
        assert re.search(rf'\b{column} [A-Z()0-9]+ COLLATE "C"', made)
    assert "total BIGINT" in made


def _pretend(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{revision}'"))  # noqa: S608 - our own names


def _made(engine: Engine) -> dict[str, str]:
    """Return what makes each table and index, whatever the order of what is within a table."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: " ".join(sorted(re.split(r"[,\s]+", sql))) for name, sql in rows if name != VERSION_TABLE}
