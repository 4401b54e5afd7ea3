"""The relays that can report, each with what it takes to believe and read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from webapp.core.errors import Invalid
from webapp.core.rules.relay_event import RelayEvent
from webapp.core.rules.relay_events import brevo, mailgun, postmark, sendgrid, ses, sns
from webapp.core.rules.relay_events.reading import LARGEST_BODY, Refused


class Provider(StrEnum):
    """A maker of relays. Its value is a part of the address that it calls."""

    SES = "ses"
    MAILGUN = "mailgun"
    POSTMARK = "postmark"
    SENDGRID = "sendgrid"
    BREVO = "brevo"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def gives_own_message_id(self) -> bool:
        """Whether it replaces the Message-ID of mails, so that it must be told otherwise which mail is which."""
        return self in (Provider.SES, Provider.POSTMARK, Provider.BREVO)


_LABELS = {
    Provider.SES: "Amazon SES",
    Provider.MAILGUN: "Mailgun",
    Provider.POSTMARK: "Postmark",
    Provider.SENDGRID: "SendGrid",
    Provider.BREVO: "Brevo",
}


class KeyKind(StrEnum):
    """What proves a call: a signing key that both know, a public key, a topic whose messages Amazon signs, or a password of ours."""

    SHARED = "shared"
    PUBLIC = "public"
    TOPIC = "topic"
    PASSWORD = "password"


@dataclass(frozen=True, slots=True)
class Maker:
    """How one maker's calls are believed and read. `key_word` is what it calls its key.

    Three statuses: `comes_again` has it try again for sure; `doubted`, for a key or password that does not fit, too, where it tries again
    at anything that is no server's fault; `refused` is for what it need not send again.
    """

    key: KeyKind
    key_word: str
    verify: Callable[[bytes, Mapping[str, str], str, datetime, sns.Certificate], None]
    events: Callable[[bytes], list[RelayEvent]]
    comes_again: int = 503
    doubted: int = 401
    refused: int = 403


def _without_certificate(
    verify: Callable[[bytes, Mapping[str, str], str, datetime], None],
) -> Callable[[bytes, Mapping[str, str], str, datetime, sns.Certificate], None]:
    return lambda raw, headers, key, now, _certificate: verify(raw, headers, key, now)


_OF = _without_certificate
MAKERS: Mapping[Provider, Maker] = {
    # SNS tries again at 5xx only, for an hour at most.
    Provider.SES: Maker(KeyKind.TOPIC, "ARN of the topic", sns.verify, ses.events, doubted=403),
    # Any answer but 200 and 406 has Mailgun try again.
    Provider.MAILGUN: Maker(
        KeyKind.SHARED, "HTTP webhook signing key", _OF(mailgun.verify), mailgun.events, doubted=403, refused=406
    ),
    # Of all answers but 200, only a 403 keeps Postmark from trying again.
    Provider.POSTMARK: Maker(KeyKind.PASSWORD, "password", _OF(postmark.verify), postmark.events),
    # SendGrid tries again at anything but 2xx.
    Provider.SENDGRID: Maker(KeyKind.PUBLIC, "verification key", _OF(sendgrid.verify), sendgrid.events, doubted=403),
    # Brevo gives up at any 4xx but 429, and its documentation can be read so that it does at a 5xx, too.
    Provider.BREVO: Maker(KeyKind.PASSWORD, "token", _OF(brevo.verify), brevo.events, comes_again=429),
}


def reported(
    provider: Provider, raw: bytes, headers: Mapping[str, str], key: str, now: datetime, certificate: sns.Certificate
) -> list[RelayEvent]:
    """What a call reports, once it is believed. `raw` is the body as it came, `key` what the source keeps. Raises Refused."""
    if not key:  # anybody could sign with an empty one
        raise Refused(f"The {MAKERS[provider].key_word} was not entered here yet.")
    if len(raw) > LARGEST_BODY:
        raise Refused("It is larger than a report of events can be.", is_final=True)
    maker = MAKERS[provider]
    maker.verify(raw, headers, key, now, certificate)
    return maker.events(raw)


def checked_key(provider: Provider, given: str) -> str:
    """A key as it was entered, as it is kept. Raises Invalid for what cannot be one."""
    key = given.strip()
    match MAKERS[provider].key:
        case KeyKind.TOPIC if not sns.TOPIC.fullmatch(key):
            raise Invalid("This is no ARN of a topic, as in arn:aws:sns:eu-central-1:123456789012:mail-events.", "key")
        case KeyKind.SHARED if not 16 <= len(key) <= 200 or not key.isascii() or not key.isprintable() or " " in key:
            raise Invalid("This is no signing key: it has 16 letters or more, without blanks.", "key")
        case KeyKind.PUBLIC:
            try:
                sendgrid.public_key(key)
            except ValueError:
                raise Invalid(
                    "This is no verification key. It begins with MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE.", "key"
                ) from None
        case KeyKind.PASSWORD:
            raise Invalid(f"The {MAKERS[provider].key_word} is made here.", "key")
    return key
