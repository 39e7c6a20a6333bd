"""A run has a state."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.add_column("runs", sa.Column("state", sa.Text, nullable=False, server_default="queued"))


def downgrade():
    op.drop_column("runs", "state")
