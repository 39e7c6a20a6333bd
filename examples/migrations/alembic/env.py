"""Alembic as it is: it reads DATABASE_URL and knows nothing of Sallyport."""

import os
import re

from alembic import context
from sqlalchemy import create_engine, pool

# SQLAlchemy wants the driver in the scheme. No prepared statements: a pooler in transaction mode would lose them.
url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", os.environ["DATABASE_URL"])
engine = create_engine(url, poolclass=pool.NullPool, connect_args={"prepare_threshold": None})

with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
