"""prices keep the decimals they are written with: some currencies have three"""

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COLUMNS = (("service", "price"), ("waiting_service", "price"))
TWO, AS_WRITTEN = sa.Numeric(precision=12, scale=2), sa.Numeric()


def upgrade() -> None:
    _retype(TWO, AS_WRITTEN)


def downgrade() -> None:
    _retype(AS_WRITTEN, TWO)


def _retype(before: sa.Numeric[Decimal], after: sa.Numeric[Decimal]) -> None:
    """SQLite stores a number as it is, whatever its column says of decimals, and a table there would have to be made anew."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column in COLUMNS:
        op.alter_column(table, column, existing_type=before, type_=after, existing_nullable=True)
