"""Turntables and large sets of pictures, which workers make."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "renderings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(length=200), nullable=False),
        sa.Column("file", sa.String(length=100), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=True),
        sa.Column("worker_id", sa.String(length=36), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("folder", "file"),
    )
    op.create_index("ix_renderings_job_id", "renderings", ["job_id"], unique=False)
    op.create_index("ix_renderings_worker_id", "renderings", ["worker_id"], unique=False)


def downgrade() -> None:
    """Remove the table."""
    op.drop_index("ix_renderings_worker_id", table_name="renderings")
    op.drop_index("ix_renderings_job_id", table_name="renderings")
    op.drop_table("renderings")
