"""Two mails say the same or not, whatever they look like."""

import pytest

from webapp.core.rules.likeness import text_digest

HTML = "<p>Dear {{ first_name }},</p><p>we move your server &amp; its data.</p>"


@pytest.mark.parametrize(
    ("subject", "html", "text"),
    [
        ("Maintenance", HTML, None),
        ("  maintenance ", HTML, None),
        ("Maintenance", HTML.replace("><", ">\r\n  <").replace("<p>", '<p style="color: red">'), None),
        ("Maintenance", HTML, "An own text part"),
        ("Maintenance", "", "Dear {{ first_name }},\n\nwe move your server & its data."),
    ],
)
def test_the_same_words_are_the_same(subject: str, html: str, text: str | None):
    assert text_digest(subject, html, text) == text_digest("Maintenance", HTML, None)


@pytest.mark.parametrize(
    ("subject", "html"),
    [("Maintenance 2", HTML), ("Maintenance", HTML.replace("server", "mailbox")), ("", f"Maintenance {HTML}")],
)
def test_other_words_are_another_text(subject: str, html: str):
    assert text_digest(subject, html, None) != text_digest("Maintenance", HTML, None)


def test_any_text_has_a_digest():
    for text in ("<" * 500_000, "<a " * 200_000, "&" * 500_000, "\ud800", ""):
        assert len(text_digest(text[:50], text, None)) == 32
