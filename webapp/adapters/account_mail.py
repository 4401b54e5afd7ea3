"""Mails about an account to whoever owns it: that somebody else has made a way into it. The way itself is not in them."""

from datetime import datetime

import flask_mail

from webapp.adapters import notice_mail
from webapp.adapters.smtp.flask_front import RelayMail
from webapp.core.notices.outbox import Answer
from webapp.core.users import LINK_LASTS

SUBJECT = "A sign-in link for your account was made"


def link_was_made(mail: RelayMail, sender: str, to: str, by: str, now: datetime) -> Answer:
    """Tell `to` that `by` (a user, or "the command line") has made a link that signs in to their account. Inside the app's context."""
    if not sender:
        return Answer(False, notice_mail.NO_SENDER)
    minutes = int(LINK_LASTS.total_seconds() / 60)
    who = " ".join(by.split())
    text = (
        f"A link that signs in to your account of the mass mail console ({to}) was made at {now:%H:%M UTC on %a %-d %b %Y} by {who}.\n\n"
        f"It works once, within {minutes} minutes. If you expect it, all is well: you get it from whoever made it.\n\n"
        "If you do not expect it, sign in and choose “Sign out elsewhere” under your account, which ends the link. Then ask who made it.\n"
    )
    made = flask_mail.Message(
        subject=SUBJECT,
        recipients=[to],
        body=text,
        sender=sender,
        extra_headers={"Auto-Submitted": "auto-generated"},
    )
    return notice_mail.hand_over(mail, made)
