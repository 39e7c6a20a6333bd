"""The tables that were there before the first migration. `python models.py` makes them, as an empty database needs it."""

import os
import re

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, create_engine, pool

metadata = MetaData()

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant", Integer, ForeignKey("tenants.id"), nullable=False),
)


def connect_engine():
    # SQLAlchemy wants the driver in the scheme. No prepared statements: a pooler in transaction mode would lose them.
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", os.environ["DATABASE_URL"])
    return create_engine(url, poolclass=pool.NullPool, connect_args={"prepare_threshold": None})


if __name__ == "__main__":
    metadata.create_all(connect_engine())
