"""Alembic as it is: it reads DATABASE_URL and knows nothing of Sallyport."""

from alembic import context

from models import connect_engine, metadata

with connect_engine().connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()
