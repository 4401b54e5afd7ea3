"""Brands: saved, found for a sender, and kept with each broadcast that was scheduled in them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.branding import pictures
from webapp.core.consent import settings
from webapp.core.errors import Invalid
from webapp.core.rules.branding import colours
from webapp.core.rules.branding.look import COLOURS, DARK, LIGHT, BrandLook, FontStack, Logo, Palette
from webapp.core.rules.message import brand_footer
from webapp.core.rules.message.parts import mailbox_or_blank
from webapp.core.settings import from_addresses
from webapp.core.tables.branding import Brand, HostedPicture
from webapp.core.tables.broadcasts import Broadcast

EVERYONE = ""
"""The address of the brand in which stand the mails of all senders that have none of their own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A brand as somebody wants it. `logo` is a new one, None for that of before; `without_logo` takes it away."""

    light: Palette = LIGHT
    dark: Palette = DARK
    letters: FontStack = FontStack.SYSTEM
    footer: str = ""
    logo: pictures.Drawn | None = None
    without_logo: bool = False


def save(session: Session, from_address: str, wanted: Wanted, by: str, now: datetime) -> Brand:
    """Have mails stand in this brand from now on, those of `from_address` alone or of everyone. Broadcasts that are scheduled keep theirs.
    Raises Invalid, naming the field (`light_text`, `footer` …)."""
    if from_address and from_address not in addresses(session):
        raise Invalid(f"{from_address} is not in the list of senders.", "from_address")
    before = _of_address(session, from_address) or _of_address(session, EVERYONE)
    logo_id = None if wanted.without_logo or before is None else before.logo_id
    if wanted.logo is not None:
        logo_id = pictures.add(session, wanted.logo, now).id
    brand = Brand(
        from_address=from_address,
        light=asdict(checked(wanted.light, "light")),
        dark=asdict(checked(wanted.dark, "dark")),
        letters=wanted.letters,
        footer=brand_footer.checked(wanted.footer),
        logo_id=logo_id,
        made_at=now,
        made_by=by,
    )
    session.add(brand)
    session.flush()
    return brand


def remove(session: Session, from_address: str, by: str, now: datetime) -> None:
    """An address has no brand of its own any more; or with EVERYONE mails stand in none, but for those that have one of their own."""
    if _of_address(session, from_address) is not None:
        session.add(Brand(from_address=from_address, is_removed=True, made_at=now, made_by=by))
        session.flush()


def checked(palette: Palette, theme: str) -> Palette:
    """The palette with its colours as `#rrggbb`. Raises Invalid for one that is no colour."""
    return Palette(**{name: colours.colour(getattr(palette, name), f"{theme}_{name}") for name in COLOURS})


def in_force(session: Session, from_address: str = EVERYONE) -> Brand | None:
    """The brand of a sender, its own or that of everyone; None where mails stand in none."""
    own = _of_address(session, from_address) if from_address else None
    return own or _of_address(session, EVERYONE)


def own(session: Session) -> Sequence[str]:
    """The addresses that have a brand of their own."""
    newest = select(func.max(Brand.id)).group_by(Brand.from_address)
    found = select(Brand.from_address).where(Brand.id.in_(newest), ~Brand.is_removed, Brand.from_address != EVERYONE)
    return session.scalars(found.order_by(Brand.from_address)).all()


def addresses(session: Session) -> list[str]:
    """The addresses of all senders, which may each have a brand, in lower case."""
    return sorted(sender.address.lower() for sender in from_addresses.listing(session))


def is_any(session: Session) -> bool:
    """Whether there is a brand at all."""
    return in_force(session) is not None or bool(own(session))


def of_broadcast(session: Session, broadcast: Broadcast) -> Brand | None:
    """The brand that a broadcast's mails stand in: the one it was scheduled with, before that the one of its sender."""
    if not broadcast.in_brand:
        return None
    if broadcast.scheduled_at is not None or broadcast.started_at is not None:
        return None if broadcast.brand_id is None else session.get_one(Brand, broadcast.brand_id)
    return in_force(session, sender_of(broadcast))


def sender_of(broadcast: Broadcast) -> str:
    """The address of a broadcast's sender, as brands name it; "" for none."""
    return mailbox_or_blank(broadcast.from_address)[1].lower()


def look_of(session: Session, brand: Brand) -> BrandLook:
    """What a brand looks like, with the words on who the business is, which stand in the settings of consent."""
    known = settings.read(session)
    return replace(values_of(brand), logo=logo_of(session, brand)).by(known.business_name, known.postal_address)


def values_of(brand: Brand) -> BrandLook:
    """The colours, letters and footer of a brand."""
    return BrandLook(Palette(**brand.light), Palette(**brand.dark), brand.letters, brand.footer)


def logo_of(session: Session, brand: Brand) -> Logo | None:
    """The logo of a brand as mails show it."""
    if brand.logo_id is None:
        return None
    return pictures.logo_in_mails(session.get_one(HostedPicture, brand.logo_id))


def _of_address(session: Session, from_address: str) -> Brand | None:
    found = select(Brand).where(Brand.from_address == from_address).order_by(Brand.id.desc()).limit(1)
    newest = session.scalar(found)
    return None if newest is None or newest.is_removed else newest
