"""The declarative base, and the column types the database does not have on its own."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, TypeVar

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, MetaData, Numeric, String, Table
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

Member = TypeVar("Member", bound=StrEnum)

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key; SQLite only auto-increments a column that is spelled INTEGER."""


class Base(DeclarativeBase):
    __table__: ClassVar[Table]
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Aware datetimes in, aware UTC datetimes out; a naive one is refused.

    SQLite has no zones: there the UTC wall time is stored as text of fixed width, so that it still sorts.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: instants must be aware")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class EnumText(TypeDecorator[Member]):
    """A `StrEnum` stored as its text. Pair it with `one_of()` so that the database refuses other texts."""

    impl = String
    cache_ok = True

    def __init__(self, enum: type[Member], length: int = 20) -> None:
        super().__init__(length)
        self.enum = enum

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(self.enum(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Member | None:
        return None if value is None else self.enum(value)


CENT = Decimal("0.01")


class Price(TypeDecorator[Decimal]):
    """An amount of money with two decimals, or with three where it has them, as Kuwait's dinar may. It comes back as it was written."""

    impl = Numeric(decimal_return_scale=3)
    cache_ok = True

    def process_result_value(self, value: Decimal | None, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        cents = value.quantize(CENT)
        return cents if cents == value else value


def one_of(column: str, enum: type[StrEnum]) -> CheckConstraint:
    """A CHECK that `column` holds one of the values of `enum` (or NULL, where the column allows it).

    Plain comparisons, no IN: SQLite builds a table in memory for the list, anew for each row it writes.
    """
    return CheckConstraint(" OR ".join(f"{column} = '{member.value}'" for member in enum), name=column)
