"""Clients and what they hold. Written by `core/clients/` (imports and the demo's seed go through it)."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.base import Base, BigId, EnumText, Price, UtcDateTime, one_of


class Client(Base):
    """A customer. `number` is the business's own client id; `address` is the usable form of `email`, or NULL.

    `address` is what stands in RCPT TO (domain in IDNA2008); `address_key` is the form in which two addresses are
    the same, whatever their case; `address_problem` says why `email` cannot be used.
    """

    __tablename__ = "client"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    company: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str] = mapped_column(String(320), default="")
    address: Mapped[str | None] = mapped_column(String(320))
    address_key: Mapped[str | None] = mapped_column(String(320))
    address_problem: Mapped[str | None] = mapped_column(String(200))
    city: Mapped[str] = mapped_column(String(200), default="")
    country: Mapped[str | None] = mapped_column(String(2))
    language: Mapped[str | None] = mapped_column(String(35))
    status: Mapped[ClientStatus] = mapped_column(EnumText(ClientStatus))
    client_since: Mapped[date | None]
    marketing_opt_in: Mapped[bool | None]
    search_text: Mapped[str] = mapped_column(String(1400), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)

    services: Mapped[list["Service"]] = relationship(back_populates="client", order_by="Service.id")

    __table_args__ = (
        one_of("status", ClientStatus),
        CheckConstraint("(address IS NULL) = (address_key IS NULL)", name="address"),
        Index("ix_client_address_key", "address_key", "id"),
        Index("ix_client_audience", "country", "language", "status", "address_key"),
        Index("ix_client_status", "status", "country", "language", "address_key"),
    )


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_name: Mapped[str] = mapped_column(String(200), default="")
    name: Mapped[str] = mapped_column(String(200))

    __table_args__ = (UniqueConstraint("group_name", "name"),)


class Service(Base):
    """One product held by one client. `number` is the business's own service id."""

    __tablename__ = "service"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"))
    domain: Mapped[str] = mapped_column(String(255), default="")
    status: Mapped[HoldingStatus] = mapped_column(EnumText(HoldingStatus))
    price: Mapped[Decimal | None] = mapped_column(Price)
    currency: Mapped[str | None] = mapped_column(String(3))
    next_due_on: Mapped[date | None]

    client: Mapped[Client] = relationship(back_populates="services")
    product: Mapped[Product] = relationship()
    addons: Mapped[list["AddonAssignment"]] = relationship(back_populates="service", order_by="AddonAssignment.id")

    __table_args__ = (
        one_of("status", HoldingStatus),
        # Covers the choice of the service whose data the tags take: a probe a recipient at the freeze, without reading the rows.
        Index("ix_service_client", "client_id", "product_id", "status", "next_due_on", "id"),
        Index("ix_service_product", "product_id", "status", "client_id"),
        Index("ix_service_domain", "domain", postgresql_ops={"domain": "varchar_pattern_ops"}),
    )


class Addon(Base):
    __tablename__ = "addon"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class AddonAssignment(Base):
    """One addon on one service. `client_id` repeats the service's, so that the audience needs no second join."""

    __tablename__ = "addon_assignment"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number: Mapped[str] = mapped_column(String(64), unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    service_id: Mapped[int] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    addon_id: Mapped[int] = mapped_column(ForeignKey("addon.id"))
    status: Mapped[HoldingStatus] = mapped_column(EnumText(HoldingStatus))

    addon: Mapped[Addon] = relationship()
    service: Mapped[Service] = relationship(back_populates="addons")

    __table_args__ = (
        one_of("status", HoldingStatus),
        Index("ix_addon_assignment_client", "client_id", "addon_id", "status", "service_id", "id"),
        Index("ix_addon_assignment_addon", "addon_id", "status", "client_id"),
    )
