"""Links of each mail's own, the fields for mail programs, and the foot of marketing mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from webapp.core.errors import Invalid
from webapp.core.rules.message import CompiledMessage, Envelope, Frame, MailIdentity, MessageParts, compile_message
from webapp.core.rules.message.own_links import as_tags
from webapp.core.rules.tags.unparse import source_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ENVELOPE = Envelope.of("Example <news@example.com>")
BASE = "https://mail.example.com"
MARKETING = Frame(
    BASE,
    is_marketing=True,
    list_name="topic-3",
    broadcast_id=17,
    business_name="Example & Co",
    postal_address="1 Long Street\nAB1 2CD Town",
)
IMPORTANT = Frame(BASE, is_important=True, list_name="important", broadcast_id=17, postal_address="1 Long Street")
UNSUBSCRIBE, BROWSER = "0001" + "ab" * 20, "0001" + "cd" * 20
LIST_FIELDS = ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id")
LINK = f"{BASE}/unsubscribe/{UNSUBSCRIBE}"


def compiled(html: str = "<p>Hello</p>", text: str | None = None, frame: Frame | None = MARKETING) -> CompiledMessage:
    return compile_message(MessageParts("News", html, text), ENVELOPE, frame)


def sent(message: CompiledMessage, **values: str) -> EmailMessage:
    stamp = MailIdentity((17 << 32) | 5, "secret", "ada@example.net", NOW, UNSUBSCRIBE, BROWSER)
    data = message.render([values.get(tag, tag) for tag in message.tags], stamp)
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    found = message_from_bytes(data, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def test_marketing_mail_has_the_fields_of_one_click_on_one_line_each():
    mail = sent(compiled())
    assert mail["List-Unsubscribe"] == f"<{LINK}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "<topic-3.example.com>"
    broadcast, name, kind, sender = mail["Feedback-ID"].split(":")
    assert (broadcast, name, kind, len(sender)) == ("17", "topic-3", "marketing", 12)
    assert mail["Auto-Submitted"] is None
    raw = compiled().render(["Ada", "Unsubscribe"], MailIdentity(1, "s", "ada@example.net", NOW, UNSUBSCRIBE))
    assert f"\r\nList-Unsubscribe: <{LINK}>\r\n".encode() in raw, "encoded or folded, one click does not work"


def test_a_base_that_is_too_long_for_a_line_is_not_encoded():
    base = "https://mail.example.com/" + "long/" * 20 + "way"
    mail = compiled(frame=Frame(base, is_marketing=True, list_name="marketing"))
    raw = mail.render(["Ada"] * len(mail.tags), MailIdentity(1, "s", "ada@example.net", NOW, UNSUBSCRIBE))
    assert f"<{base}/unsubscribe/{UNSUBSCRIBE}>\r\nList-Unsubscribe-Post:".encode() in raw


def test_important_mail_says_that_a_machine_sent_it_and_cannot_be_declined():
    mail = sent(compiled(frame=IMPORTANT))
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Feedback-ID"].startswith("17:important:important:")
    assert not any(mail[field] for field in LIST_FIELDS)
    assert "unsubscribe" not in part(mail, "html") and "Long Street" not in part(mail, "html")
    for name in ("unsubscribe_url", "preferences_url"):
        with pytest.raises(Invalid, match="cannot be declined"):
            compiled(f'<a href="{{{{ {name} }}}}">no more</a>', frame=IMPORTANT)


@pytest.mark.parametrize("frame", [MARKETING, IMPORTANT])
def test_each_mail_bears_one_id_for_whoever_asks(frame: Frame):
    mail = sent(compiled(frame=frame))
    assert mail["X-Massmail-Id"] == mail["Message-ID"].strip("<>").partition("@")[0]


@pytest.mark.parametrize("text", [None, "Hello {{ first_name }}"])
@pytest.mark.parametrize("html", ["<p>Hello {{ first_name }}</p>", "<html><body><p>Hello</p></body></html>", ""])
def test_a_mail_for_which_nobody_said_what_it_is_for_is_as_it_was(html: str, text: str | None):
    parts = MessageParts("News", html, text)
    before, now = compile_message(parts, ENVELOPE), compile_message(parts, ENVELOPE, Frame(BASE))
    stamp = MailIdentity(5, "secret", "ada@example.net", NOW)
    assert before.tags == now.tags and before.render(["Ada"] * len(before.tags), stamp) == now.render(
        ["Ada"] * len(now.tags), stamp._replace(unsubscribe_token=UNSUBSCRIBE)
    )


def test_the_foot_says_who_sends_and_leads_out():
    mail = sent(compiled("<body><p>Hello</p></body>", "Hello\n"), unsubscribe_words="Abmelden")
    foot = (
        f'Example &amp; Co<br>1 Long Street<br>AB1 2CD Town<br><a href="{LINK}" style="color:#595959">Abmelden</a></p>'
    )
    assert foot in part(mail, "html").replace("\n", "")
    assert part(mail, "plain") == f"Hello\n\nExample & Co\n1 Long Street\nAB1 2CD Town\nAbmelden: {LINK}\n"


def test_a_text_made_from_html_has_the_foot_once():
    text = part(sent(compiled(), unsubscribe_words="Unsubscribe"), "plain")
    assert text.count(LINK) == text.count("1 Long Street") == 1 and f"Unsubscribe <{LINK}>" in text


def test_what_the_writer_has_said_already_is_not_said_again():
    mine = '<p>Example, 1 Long Street, AB1 2CD Town. <a href="{{ unsubscribe_url }}">No more</a></p>'
    html = part(sent(compiled(mine)), "html")
    assert html.count(LINK) == html.count("Long Street") == 1 and f'<a href="{LINK}">No more</a>' in html
    chosen = part(sent(compiled('<a href="{{ preferences_url }}">Choose</a>')), "html")
    assert f'<a href="{BASE}/preferences/{UNSUBSCRIBE}">' in chosen and "/unsubscribe/" not in chosen


@pytest.mark.parametrize(
    "hidden",
    [
        '{% if company %}<a href="{{ unsubscribe_url }}">No more</a>{% endif %}',
        '<!-- <a href="{{ unsubscribe_url }}">No more</a> -->',
    ],
)
def test_a_link_that_not_everybody_sees_does_not_spare_the_foot(hidden: str):
    assert part(sent(compiled(hidden), company=""), "html").count(LINK) == 1


def test_a_tag_in_the_text_becomes_a_link_with_words_and_in_a_link_an_address():
    mail = sent(
        compiled("<p>{{ browser_url }}</p><a href='{{ browser_url }}'>{{ browser_url }}</a>"), browser_words="Look"
    )
    url = f"{BASE}/view/{BROWSER}"
    assert part(mail, "html").count(f'<a href="{url}">') == 2
    assert f'<a href="{url}">Look</a>' in part(mail, "html") and f'<a href="{url}">{url}</a>' in part(mail, "html")


def test_the_tags_come_back_where_a_text_is_made_from_html():
    frame = Frame(BASE)
    message = compiled('<p>{{ browser_url }}</p><p><a href="{{ unsubscribe_url }}">No more</a></p>', frame=frame)
    derived = as_tags(source_of(message.trees["plain"]), BASE)
    assert derived == "{{ browser_url }}\n\nNo more <{{ unsubscribe_url }}>\n"


def test_a_link_of_a_mails_own_needs_somewhere_to_lead():
    with pytest.raises(Invalid, match="unsubscribe_url"):
        compiled("<p>{{ unsubscribe_url }}</p>", frame=None)


def test_a_token_that_no_mail_has_stands_in_a_preview():
    message = compiled()
    data = message.render(["Ada", "Unsubscribe"], MailIdentity(0, "s", "ada@example.net", NOW))
    assert f"/unsubscribe/{'0' * 44}>".encode() in data
    assert message.tokens == {"unsubscribe_token"}
