"""How much is done for the faces of a job."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column, normal for jobs of before."""
    op.add_column("jobs", sa.Column("quality", sa.String(8), nullable=False, server_default="normal"))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("jobs", "quality")
