"""Notices by mail, through Flask-Mail: plain text with one link, marked as written by a program, counted in no broadcast."""

import smtplib
from email.utils import parseaddr
from zoneinfo import ZoneInfo

import flask_mail

from webapp.adapters.smtp.flask_front import RelayMail
from webapp.core.notices.outbox import Answer, Errand
from webapp.core.rules.notices import NoticeKind, broadcast_url, counted, sentence, title

NO_SENDER = "There is no sender: set MAIL_DEFAULT_SENDER, or add a sender at Settings, Sending."
SILENT_S = 30.0
"""A relay that says nothing for so long once it greets is tried again later: a worker has better things to do than to wait for it."""


def send(mail: RelayMail, sender: str, errand: Errand, public_url: str) -> Answer:
    """Hand one mail to the relay and say how it ended. `sender` as `Name <address>`. To be called inside the app's context."""
    return hand_over(mail, message(sender, errand, public_url)) if sender else Answer(False, NO_SENDER, is_for_all=True)


def hand_over(mail: RelayMail, made: flask_mail.Message) -> Answer:
    """Hand one mail of the program's own to the relay and say how it ended."""
    try:
        with mail.connect() as connection:
            if connection.host is not None and connection.host.sock is not None:
                socket = connection.host.sock
                socket.settimeout(min(socket.gettimeout() or SILENT_S, SILENT_S))
            connection.send(made)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return Answer(False, f"The relay says: {code} {_text(words)}", is_final=500 <= code < 600)
    except smtplib.SMTPResponseException as error:
        is_for_all = not isinstance(error, smtplib.SMTPDataError)
        return Answer(False, f"The relay says: {error.smtp_code} {_text(error.smtp_error)}", is_for_all=is_for_all)
    except (smtplib.SMTPException, OSError) as error:
        return Answer(False, f"The relay cannot be used: {error or type(error).__name__}", is_for_all=True)
    return Answer(True, "The relay took it.")


def message(sender: str, errand: Errand, public_url: str) -> flask_mail.Message:
    """The mail of a notice, or of several; each attempt has the same Message-ID, by which a mailbox can tell a repeat."""
    made = flask_mail.Message(
        subject=subject(errand),
        recipients=[errand.to],
        body=text(errand, public_url),
        sender=sender,
        extra_headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office note comes back
    )
    domain = parseaddr(sender)[1].rpartition("@")[2]
    last = max(one.notice_id for one in (errand, *errand.others))
    made.msgId = f"<notice.{errand.notice_id}.{last}.{errand.user_id}.{int(errand.written_at.timestamp())}@{domain}>"
    return made


def subject(errand: Errand) -> str:
    """One line: the title, and how many more there are."""
    more = f" (and {len(errand.others):,} more)" if errand.others else ""
    return " ".join(title(errand.kind, errand.facts).split()) + more


def text(errand: Errand, public_url: str) -> str:
    """The mail's text: what happened, when by the reader's clock, and where to go."""
    if not errand.others:
        parts = [*_told(errand), _where(errand, public_url)]
    else:
        parts = ["\n".join(_told(one)) for one in (errand, *errand.others)]
        parts.append(f"{public_url}/notices/")
    return "\n\n".join([*parts, "What you hear of is chosen in the console at Settings, Notices."]) + "\n"


def _told(errand: Errand) -> list[str]:
    facts, at = errand.facts, errand.happened_at.astimezone(ZoneInfo(errand.time_zone))
    parts = [title(errand.kind, facts), sentence(errand.kind, facts), f"Since {at:%a %-d %b %Y, %H:%M %Z}."]
    if errand.kind is NoticeKind.FINISHED:
        parts[-1] = f"At {at:%H:%M %Z on %a %-d %b %Y}."
    if errand.kind.is_of_the_site:
        those = [f"- {one['name']}" for one in facts["broadcasts"]]
        more = facts["number"] - len(those)
        parts.append("\n".join(["What waits:", *those, *([f"- and {more:,} more"] if more else [])]))
    elif errand.kind is not NoticeKind.FINISHED:
        parts.append(f"So far: {counted(facts['counts'])}.")
    return parts


def _where(errand: Errand, public_url: str) -> str:
    those = errand.facts["broadcasts"] if errand.kind.is_of_the_site else [errand.facts]
    return broadcast_url(public_url, those[0]["id"]) if len(those) == 1 else f"{public_url}/mass-mail/"


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words
