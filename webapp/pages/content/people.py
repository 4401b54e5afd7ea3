"""As whom the pages of a message show it."""

from flask import request

from webapp.adapters.clock import now
from webapp.core import audience
from webapp.core.content import previews
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.content.blueprint import language


def chosen(broadcast: Broadcast) -> previews.PreviewRecipient | None:
    """The recipient asked for, else the first, of the text that the page is about."""
    wanted = request.values.get("client", type=int)
    return previews.at(db.session, audience.audience_of(broadcast), now().date(), wanted, text=language())
