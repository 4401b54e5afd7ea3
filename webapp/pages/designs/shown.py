"""A template as the mail that it becomes: in the brand, with the values that tags have as examples."""

from datetime import UTC, datetime

from flask import Response, current_app

from webapp.core.branding import brands
from webapp.core.consent import settings
from webapp.core.designs.library import DesignText
from webapp.core.errors import DomainError
from webapp.core.rules.branding.look import BrandLook
from webapp.core.rules.message import Envelope, Frame, MailIdentity, MessageParts, compile_message, preview
from webapp.core.rules.tags.names import BY_NAME, LINK_WORDS
from webapp.extensions import db
from webapp.pages.content.views import MAIL_POLICY

_NOTHING = "<!doctype html><html><head><title>Nothing to show</title></head><body><p>{}</p></body></html>"


def mail(said: DesignText, theme: str) -> Response:
    """The HTML of a template's mail, alone on its page."""
    try:
        html = html_of(said, look(), current_app.config["PUBLIC_URL"])
    except DomainError:
        html = _NOTHING.format("This template cannot become a mail as it is.")
    page = html.replace("<head>", f'<head><meta name="color-scheme" content="{theme}">', 1)
    return Response(page, headers={"Content-Security-Policy": MAIL_POLICY, "Cache-Control": "no-store"})


def html_of(said: DesignText, brand: BrandLook, base: str) -> str:
    """The HTML part with example values. Raises DomainError for what cannot become a mail."""
    parts = MessageParts(said.subject, said.html, said.text, preheader=said.preheader)
    message = compile_message(parts, Envelope("", "sample@example.com"), Frame(base, brand=brand))
    values = [LINK_WORDS.get(name) or (BY_NAME[name].example if name in BY_NAME else "") for name in message.tags]
    shown = preview(message, values, MailIdentity(0, "", "sample@example.com", datetime(2026, 12, 1, tzinfo=UTC)))
    return shown.html or _NOTHING.format("This template is text alone.")


def look() -> BrandLook:
    """The brand of all senders; where none is set, what it would look like."""
    brand = brands.in_force(db.session)
    if brand is not None:
        return brands.look_of(db.session, brand)
    known = settings.read(db.session)
    return BrandLook().by(known.business_name, known.postal_address)
