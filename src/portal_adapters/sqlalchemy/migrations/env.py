"""How Alembic runs our migrations: on the connection that `migrate` hands over, or to print them."""

from alembic import context

from portal_adapters.sqlalchemy.indexes import metadata
from portal_adapters.sqlalchemy.migrating import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)

with context.begin_transaction():
    context.run_migrations()
