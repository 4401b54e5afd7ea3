"""Links and opens that are counted: what stands in the mail, and where it leads."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy

import html5lib
import pytest

from webapp.core.rules.message import (
    CompiledMessage,
    Counting,
    Envelope,
    Frame,
    MailIdentity,
    MessageParts,
    compile_message,
)
from webapp.core.rules.message.link_counter import filled
from webapp.core.rules.tags.nodes import read_rows_key

BASE = "https://mail.example.com"
CLICK, OPEN = "1" * 44, "2" * 44
IDENTITY = MailIdentity(
    1, "secret", "zoe@example.net", datetime(2026, 11, 23, tzinfo=UTC), click_token=CLICK, open_token=OPEN
)
VALUES = {"client_id": "a/b?c=1&d#e é", "first_name": "Zoë <x>", "company": "", "service_domain": "zoë.example"}
COUNTED = re.compile(rf"{re.escape(BASE)}/go/{CLICK}/([0-9a-f]{{12}})")


def made(html: str, text: str | None = None, *, clicks: bool = True, opens: bool = False) -> CompiledMessage:
    counting = Counting("secret", clicks, opens) if clicks or opens else None
    return compile_message(
        MessageParts("News", html, text), Envelope.of("news@example.com"), Frame(BASE, counting=counting)
    )


def values_of(message: CompiledMessage, values: Mapping[str, str] = VALUES) -> list[str]:
    return [values.get(tag, "") for tag in message.tags]


def bodies(message: CompiledMessage) -> tuple[str, str]:
    """HTML and text as an independent parser reads them."""
    mail = message_from_bytes(message.render(values_of(message), IDENTITY), policy=policy.default)
    found = {part.get_content_subtype(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    return found.get("html", ""), found["plain"].replace("\r\n", "\n")


def links(html: str) -> list[str]:
    document = html5lib.parse(html, namespaceHTMLElements=False)
    return [one.get("href") for one in document.iter() if one.tag in ("a", "area")]


def led_to(message: CompiledMessage, address: str) -> str | None:
    """Where an address of a mail leads this recipient."""
    counted = COUNTED.fullmatch(address)
    return filled(message.targets[counted[1]], message.tags, values_of(message)) if counted else address


ADDRESSES = (
    "https://example.com",
    "http://example.com/",
    "HTTPS://Example.com/a?b=1&amp;c=%20#d",
    "https://example.com/{{ client_id }}",
    "https://example.com/?id={{ client_id | upcase }}&amp;n={{ first_name }}&amp;x={{ company | default: 'none &amp; more' }}",
    "https://{{ client_id }}.example.com/",
    "https://example.com/{% if company %}business{% else %}home{% endif %}?n={{ first_name }}",
    " https://example.com/a\n/b ",
    "https://example.com/&#123;&#123; first_name }}",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_counted_link_leads_where_it_would_have_led(address: str):
    html = f'<p><a href="{address}">there</a></p>'
    counted, plain = made(html), made(html, clicks=False)
    (there,), (here,) = links(bodies(plain)[0]), links(bodies(counted)[0])
    assert COUNTED.fullmatch(here), here
    wanted = re.sub(r"[\n\t]", "", there.strip()).replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
    assert led_to(counted, here) == wanted


@pytest.mark.parametrize("address", ADDRESSES[:-1])
def test_the_text_part_counts_the_same_link_under_the_same_mark(address: str):
    html, text = bodies(made(f'<p>Go <a href="{address}">there</a>.</p>'))
    assert COUNTED.search(html)[1] == COUNTED.search(text)[1]  # type: ignore[index]
    assert re.search(rf"there <{COUNTED.pattern}>", text)


@pytest.mark.parametrize(
    "address",
    [
        "mailto:help@example.com",
        "tel:+123",
        "#part",
        "{{ unsubscribe_url }}",
        "{{ browser_url }}",
        f"{BASE}/files/1.pdf",
        "https://example.com/?back={{ unsubscribe_url }}",
    ],
)
def test_other_addresses_stay_as_they_are(address: str):
    html = f'<p><a href="{address}">there</a> <a name="part">x</a></p>'
    assert made(html).targets == {}
    assert bodies(made(html)) == bodies(made(html, clicks=False))


def test_an_address_written_out_in_a_text_is_counted_without_the_sentence_around_it():
    text = "See https://example.com/a. Or (https://example.com/b), https://example.com/{{ client_id }}!\nhttps://example.com/c_(d)\n"
    message = made("", text)
    assert list(message.targets.values()) == [
        "https://example.com/a",
        "https://example.com/b",
        "https://example.com/{{ client_id }}",
        "https://example.com/c_(d)",
    ]
    shape = COUNTED.sub("@", bodies(message)[1])
    assert shape == "See @. Or (@), @!\n@\n"


def test_in_a_text_an_address_that_goes_on_in_a_condition_stays_as_it_is():
    text = (
        "https://example.com/{% if company %}x y{% endif %} and {% if first_name %}https://example.com/{% endif %}y\n"
    )
    assert made("", text).targets == {}
    within = made("", "https://example.com/{% if company %}x{% else %}{{ first_name }}{% endif %}, and\n")
    assert list(within.targets.values()) == [
        "https://example.com/{% if company %}x{% else %}{{ first_name }}{% endif %}"
    ]
    assert COUNTED.sub("@", bodies(within)[1]) == "@, and\n"
    whole = made("", "{% if first_name %}https://example.com/a{% endif %} y\n")
    assert list(whole.targets.values()) == ["https://example.com/a"]
    assert COUNTED.sub("@", bodies(whole)[1]) == "@ y\n"


def test_a_button_that_only_outlook_draws_is_counted():
    button = '<!--[if mso]><v:roundrect href="https://example.com/buy"><center>Buy</center></v:roundrect><![endif]-->'
    html, _ = bodies(made(f"<p>{button}</p>"))
    assert re.search(rf'<v:roundrect href="{COUNTED.pattern}"', html)


def test_an_opening_is_told_by_a_picture_at_the_very_end():
    html, text = bodies(made('<p><a href="https://example.com/">there</a></p>', clicks=False, opens=True))
    picture = re.search(r"<img [^>]*>\s*</body>", html)
    assert picture and f'src="{BASE}/seen/{OPEN}.gif"' in picture[0] and 'alt=""' in picture[0]
    assert links(html) == ["https://example.com/"] and "seen" not in text


def test_where_nothing_is_counted_the_mail_is_what_it_was():
    parts = MessageParts("News", '<p><a href="https://example.com/{{ client_id }}">there</a></p>')
    plain = compile_message(parts, Envelope.of("news@example.com"), Frame(BASE))
    off = made(parts.html, clicks=False)
    assert off.tags == plain.tags and off.tokens == plain.tokens
    assert off.render(values_of(off), IDENTITY) == plain.render(values_of(plain), IDENTITY)


def test_another_broadcast_has_other_marks():
    parts, sender = MessageParts("N", '<a href="https://example.com/">x</a>'), Envelope.of("news@example.com")
    marks = {
        tuple(compile_message(parts, sender, Frame(BASE, counting=Counting(secret, True, False))).targets)
        for secret in ("one", "two")
    }
    assert len(marks) == 2


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("https://bücher.example:8443/ä?b=ü#ö", "https://xn--bcher-kva.example:8443/%C3%A4?b=%C3%BC#%C3%B6"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://example.com/%C3%A4?a=b&c", "https://example.com/%C3%A4?a=b&c"),
    ],
)
def test_where_it_leads_is_said_in_ascii(target: str, address: str):
    assert filled(target, (), ()) == address


def test_no_value_changes_the_host_or_ends_the_address():
    evil = "@evil.example/\r\nSet-Cookie: a=b//"
    address = filled("https://example.com/{{ company }}", ["company"], [evil])
    assert address is not None and address.startswith("https://example.com/%40evil.example%2F") and "\n" not in address


def test_a_link_of_ones_own_leads_nowhere_without_its_values():
    assert filled("https://example.com/{{ company }}", ["company"], None) is None
    assert filled("https://example.com/", ["company"], None) == "https://example.com/"


SERVICES = ({"domain": "a.example", "number": "7"}, {"domain": "b.example", "number": "8"})


def test_in_a_list_of_services_only_a_link_that_is_the_same_for_each_is_counted():
    message = made(
        "<p>{% for service in services %}<a href='https://x.example/{{ service.number }}'>{{ service.domain }}</a>"
        "<a href='https://x.example/all?c={{ client_id }}'>all</a>{% endfor %}"
        "<a href='https://x.example/{% for service in services %}s{% endfor %}'>how many</a></p>"
    )
    assert list(message.targets.values()) == ["https://x.example/all?c={{ client_id }}"]
    _, fields = read_rows_key(message.tags[-1])
    rows = json.dumps([[service[field] for field in fields] for service in SERVICES])
    values = [VALUES.get(tag, "") for tag in message.tags[:-1]]
    mail = message_from_bytes(message.render([*values, rows], IDENTITY), policy=policy.default)
    found = links(mail.get_body(("html",)).get_content())
    assert found[0::2] == ["https://x.example/7", "https://x.example/8", "https://x.example/ss"]
    assert all(COUNTED.fullmatch(one) for one in found[1::2])
    text = mail.get_body(("plain",)).get_content()
    assert "https://x.example/7" in text and len(COUNTED.findall(text)) == 2


def test_an_address_that_goes_on_in_the_next_turn_of_a_list_is_no_whole_one():
    message = made("", "{% for service in services %}/https://x.example/{% endfor %}\n")
    assert message.targets == {}
    message = made("", "{% for service in services %} https://x.example/{% endfor %}\nhttps://y.example/\n")
    assert list(message.targets.values()) == ["https://y.example/", "https://x.example/"]


def test_a_counted_link_takes_a_date_as_its_filter_writes_it():
    message = made("<a href='https://x.example/{{ service_due_date | date: \"%Y\" }}'>go</a>")
    (target,) = message.targets.values()
    values = ["2027" if "date" in tag else "" for tag in message.tags]
    assert filled(target, message.tags, values) == "https://x.example/2027"
