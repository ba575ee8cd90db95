"""A table whose rows are never changed and never removed: the database refuses it, whoever asks."""

from sqlalchemy import DDL, Table, event


def make_append_only(table: Table) -> None:
    """Have the table created with triggers that let rows in, and do nothing else with them."""
    for dialect, statements in (("sqlite", _on_sqlite(table.name)), ("postgresql", _on_postgresql(table.name))):
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]  # it has no types


def _on_sqlite(name: str) -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    return (
        f"CREATE TRIGGER {name}_never_changes BEFORE UPDATE ON {name} {refuse}",
        f"CREATE TRIGGER {name}_never_shrinks BEFORE DELETE ON {name} {refuse}",
    )


def _on_postgresql(name: str) -> tuple[str, ...]:
    refuse = f"BEGIN RAISE EXCEPTION '{name} is append-only'; END"
    return (
        f"CREATE OR REPLACE FUNCTION {name}_refuses() RETURNS trigger LANGUAGE plpgsql AS $${refuse}$$",
        (
            f"CREATE TRIGGER {name}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuses()"
        ),
    )
