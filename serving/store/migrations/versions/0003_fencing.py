"""When a job was last given to the broker, and when a notice was handed over to its server."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("queued_at", sa.Double(), nullable=True))
    op.add_column("notices", sa.Column("handed_over_at", sa.Double(), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    op.drop_column("notices", "handed_over_at")
    op.drop_column("jobs", "queued_at")
