"""Secrets and addresses are sealed.

Notices of before are dropped with their addresses, and the lists of browsers forget their jobs: what seals them is not
in the database. Links go on to work.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of notices anew, and drop the secrets."""
    _drop_notices()
    _create_notices(
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
    )
    op.create_index("ix_notices_recipient", "notices", ["recipient"], unique=False)
    op.drop_column("jobs", "secret")
    op.add_column("jobs", sa.Column("sealed", sa.Text(), nullable=True))
    op.execute("UPDATE jobs SET session = NULL")


def downgrade() -> None:
    """Take it back, without what was sealed."""
    op.drop_index("ix_notices_recipient", table_name="notices")
    _drop_notices()
    _create_notices(sa.Column("address", sa.String(length=500), nullable=False))
    op.drop_column("jobs", "sealed")
    op.add_column("jobs", sa.Column("secret", sa.String(length=64), nullable=True))


def _drop_notices() -> None:
    for column in ("due_at", "job_id", "worker_id"):
        op.drop_index(f"ix_notices_{column}", table_name="notices")
    op.drop_table("notices")


def _create_notices(*columns: sa.Column) -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        *columns,
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("worker_id", sa.String(length=36), nullable=True),
        sa.Column("handed_over_at", sa.Double(), nullable=True),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    for column in ("due_at", "job_id", "worker_id"):
        op.create_index(f"ix_notices_{column}", "notices", [column], unique=False)
