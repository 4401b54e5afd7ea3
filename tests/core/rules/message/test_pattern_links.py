"""Links from a pattern: what may be kept, and what becomes of one in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.rules.message.mails import ENVELOPE, rendered
from tests.core.rules.message.readers import READERS
from webapp.core.errors import Invalid
from webapp.core.rules import tags
from webapp.core.rules.message import MessageParts, compile_message
from webapp.core.rules.message.pattern_links import PatternLink, checked, written_out

PORTAL = PatternLink("portal_url", "Your <account>", "https://p.example/c?a=1&id={{ client_id }}")
KNOWN = {"portal_url": PORTAL}


def mail_of(html: str = "", text: str | None = None, **values: str):
    parts = written_out(MessageParts("News", html, text), KNOWN)
    return READERS[0](rendered(compile_message(parts, ENVELOPE), values))


def test_other_names_of_a_tag_become_ours():
    found = checked(
        " Portal_URL ", " Your  account ", 'https://p.example/c?id={{ client_number | default: "x" }}&m={{mail}}'
    )
    assert found == PatternLink(
        "portal_url", "Your account", 'https://p.example/c?id={{ client_id | default: "x" }}&m={{email}}'
    )


@pytest.mark.parametrize(
    ("name", "label", "pattern", "field", "words"),
    [
        ("portal", "x", PORTAL.pattern, "name", "ends in _url"),
        ("unsubscribe_url", "x", PORTAL.pattern, "name", "already"),
        ("portal_url", " ", PORTAL.pattern, "label", "Say in up to 80"),
        ("portal_url", "x {{ y }}", PORTAL.pattern, "label", "Say in up to 80"),
        ("portal_url", "x", "http://p.example/{{ client_id }}", "pattern", "begins with https://"),
        ("portal_url", "x", "javascript:alert({{ client_id }})", "pattern", "begins with https://"),
        ("portal_url", "x", "https://p.example/", "pattern", "no tag"),
        ("portal_url", "x", "https://{{ client_id }}.p.example/", "pattern", "behind the domain"),
        ("portal_url", "x", "https://p.example{{ client_id }}", "pattern", "behind the domain"),
        ("portal_url", "x", "https://evil@p.example/{{ client_id }}", "pattern", "behind the domain"),
        ("portal_url", "x", "https://p.example/{{ clint_id }}", "pattern", "Did you mean client_id?"),
        ("portal_url", "x", "https://p.example/{{ client_id", "pattern", "not closed"),
        ("portal_url", "x", "https://p.example/{{ service_domain }}", "pattern", "not a tag about the client"),
        ("portal_url", "x", "https://p.example/{{ unsubscribe_url }}", "pattern", "not a tag about the client"),
        ("portal_url", "x", "https://p.example/{% if company %}{{ client_id }}{% endif %}", "pattern", "no conditions"),
        ("portal_url", "x", "https://p.example/a b/{{ client_id }}", "pattern", "cannot stand there"),
        ("portal_url", "x", 'https://p.example/"{{ client_id }}', "pattern", "cannot stand there"),
        ("portal_url", "x", "https://localhost/{{ client_id }}", "pattern", "near yours"),
    ],
)  # fmt: skip
def test_what_could_not_be_a_link_is_refused_at_its_field(name, label, pattern, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        checked(name, label, pattern)
    assert refusal.value.field == field


def test_it_is_a_whole_address_in_a_link_and_a_link_in_the_text():
    mail = mail_of(
        '<p><a href="{{ portal_url }}">Pay</a> {{portal_url}} <b title="{{ portal_url }}">x</b></p>', client_id="10/1&"
    )
    address = "https://p.example/c?a=1&amp;id=10%2F1%26"
    assert f'<a href="{address}">Pay</a> <a href="{address}">Your &lt;account&gt;</a>' in mail.html
    assert "Pay <https://p.example/c?a=1&id=10%2F1%26> Your <account>" in mail.text


def test_it_is_an_address_in_a_text():
    assert mail_of(text="Pay: {{ portal_url }}.", client_id="ö").text == "Pay: https://p.example/c?a=1&id=%C3%B6.\n"


def test_a_message_without_one_stays_as_it_is():
    parts = MessageParts("{{ first_name }}", "<p>{{ first_name }} {{ other_url }}</p>", "x")
    assert written_out(parts, KNOWN) == parts


@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_value_turns_the_link(value):
    link = mail_of("<p>{{ portal_url }}</p>", client_id=value).html.partition('href="')[2].partition('"')[0]
    assert link.startswith("https://p.example/c?a=1&amp;id=") and set(link) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/?=&;.%-_~"
    )


def test_its_name_is_a_tag_where_it_is_known_and_stands_alone():
    def messages(source: str) -> list[str]:
        return [one.message for one in tags.check(source, None, field="html", links=["portal_url"])]

    assert messages('<a href="{{ portal_url }}">x</a>{{ portal_url }}') == []
    assert messages("{{ potal_url }}") == ["There is no tag potal_url. Did you mean portal_url?"]
    assert "stands alone" in messages("{{ portal_url | upcase }}")[0]
    assert tags.check("{{ portal_url }}", None, field="html")[0].message.startswith("There is no tag")
