"""CPU time of one mail, from its values to its bytes: 10 KB multipart, six tags. Kinds of content and of values take turns, round by
round, so that a slow minute of the machine hits all alike."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count, islice

from tests.benchmarks.figure import Figure
from webapp.core.rules.message import CompiledMessage, Envelope, MailIdentity, MessageParts, compile_message

ROUNDS, MAILS = 9, 4_000
SHORT_ROUNDS, SHORT_MAILS = 2, 200

PARAGRAPH = (
    "<p>Dear {{ first_name }}, on {{ service_due_date }} your {{ service_product }} for {{ service_domain }} ends. "
    "The price stays as it was, and nothing has to be done to go on. Questions? Answer this mail, or call us.</p>"
)
CYRILLIC = (
    "<p>Здравствуйте, {{ first_name }}! {{ service_due_date }} истекает срок {{ service_product }} для {{ service_domain }}. "
    "Цена остаётся прежней, и чтобы продолжить, ничего делать не нужно. Вопросы? Ответьте на это письмо.</p>"
)
FILLER = "<p style='color:#223;line-height:1.6'>We renew the machines in the second half of the month, one rack after another. </p>"

ENVELOPE = Envelope.of("Example <news@example.com>", "help@example.com")

COMMON = {
    "full_name": "Anna Bell",
    "first_name": "Anna",
    "company": "Acme Ltd",
    "service_product": "Web Pro, 50 GB",
    "service_domain": "shop.example.net",
    "service_due_date": "14 March 2027",
    "client_id": "1001",
}
OTHER = {
    "full_name": "Zoë D’Água",
    "first_name": "Zoë",
    "company": "M & S <Söhne>",
    "service_product": "Büro & Web",
    "service_domain": "müller.example",
    "service_due_date": "14 de março de 2027",
    "client_id": "1001",
}


def content(paragraph: str, size: int, *, conditions: bool = False) -> CompiledMessage:
    """A compiled mail of about `size` octets with the tags of the paragraph, twice in each part."""
    return compile_message(parts(paragraph, size, conditions=conditions), ENVELOPE)


def parts(paragraph: str, size: int, *, conditions: bool = False) -> MessageParts:
    """The same as somebody composed it."""
    condition = (
        "{% if company %}<p>For {{ company }}, {% if service_product contains 'Web' %}with web{% else %}without{% endif %}.</p>"
        "{% endif %}"
    )
    html = paragraph + (condition if conditions else "<p>For {{ company }}.</p>") + paragraph
    fillers = 0
    while True:
        found = MessageParts(
            "News for {{ first_name }}",
            html + FILLER * fillers + '<a href="https://x.example/{{ client_id }}">Go on</a>',
        )
        message = compile_message(found, ENVELOPE)
        if len(message.render([COMMON[name] for name in message.tags], stamp(1))) >= size:
            return found
        fillers += 1


def stamp(number: int) -> MailIdentity:
    return MailIdentity(
        number, "0123456789abcdef0123456789abcdef", "anna.bell@example.net", datetime(2026, 11, 23, 12, tzinfo=UTC)
    )


def rows(values: Mapping[str, str], tags: Sequence[str], names: Iterator[int], mails: int) -> list[list[str]]:
    """Values of as many mails. What is a person's own differs from each to each, also from round to round; products and dates do not."""
    own = {"first_name", "full_name", "company", "client_id", "service_domain"}
    return [
        [f"{values[tag]}{number}" if tag in own else values[tag] for tag in tags] for number in islice(names, mails)
    ]


def microseconds(message: CompiledMessage, mails: Sequence[Sequence[str]]) -> float:
    """CPU time of a mail, from the process's own clock."""
    stamps = [stamp(number) for number in range(len(mails))]
    begin = time.process_time_ns()
    for values, own in zip(mails, stamps, strict=True):
        message.render(values, own)
    return (time.process_time_ns() - begin) / len(mails) / 1000


def run(*, short: bool) -> Iterator[Figure]:
    plain, conditions = content(PARAGRAPH, 10_000), content(PARAGRAPH, 10_000, conditions=True)
    cyrillic = content(CYRILLIC, 10_000)
    cases = {
        "common values": (plain, COMMON, 20),
        "every value to be encoded": (plain, OTHER, 45),
        "conditions, common values": (conditions, COMMON, 160),
        "conditions, every value to be encoded": (conditions, OTHER, 160),
        "base64, common values": (cyrillic, COMMON, 20),
        "base64, every value to be encoded": (cyrillic, OTHER, 45),
    }
    names = count()
    measured: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(SHORT_ROUNDS if short else ROUNDS):
        for name, (message, values, _) in cases.items():
            mails = rows(values, message.tags, names, SHORT_MAILS if short else MAILS)
            measured[name].append(microseconds(message, mails))
    for name, (_, _, goal) in cases.items():
        yield Figure.of(f"render and MIME: {name}", measured[name], "µs CPU/mail", goal, bound="at most")
