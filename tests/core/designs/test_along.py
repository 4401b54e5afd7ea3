"""The templates that come along: real mails, in the brand and without one."""

import importlib
import tomllib

import pytest
from sqlalchemy.orm import Session

from tests.core.rules.message.test_brand_frame import LOOK, seen
from webapp.core.designs import ALONG, library
from webapp.core.designs.library import DesignText
from webapp.core.rules import tags
from webapp.core.rules.message import Envelope, Frame, MessageParts, compile_message
from webapp.core.rules.preflight import left_out
from webapp.core.rules.tags.unparse import source_of

FILES = tomllib.loads((ALONG / "along.toml").read_text("utf-8"))
MESSAGES = [key for key, one in FILES.items() if one["kind"] == "message"]


def said(key: str) -> DesignText:
    return DesignText(
        FILES[key]["subject"], FILES[key]["preheader"], (ALONG / f"{key}.html").read_text("utf-8").strip()
    )


def test_eight_messages_and_three_layouts_are_in_the_library(session: Session):
    found = {one.design.comes_as: one for one in library.listing(session)}
    assert len(MESSAGES) == 8 and found.keys() == FILES.keys()
    for key, one in found.items():
        assert DesignText.of(one.version) == said(key) and one.version.number == 1


@pytest.mark.parametrize("path", sorted(ALONG.glob("*.mjml")), ids=lambda path: path.stem)
def test_the_html_is_what_is_made_of_its_mjml(path):
    pytest.importorskip("mrml", reason="needs mrml, which makes HTML of MJML")
    designs = importlib.import_module("webapp.tools.designs")
    assert path.with_suffix(".html").read_text("utf-8") == designs.html_of(path.read_text("utf-8"))


@pytest.mark.parametrize("key", FILES)
def test_it_is_a_mail_in_the_brand(key: str):
    one = said(key)
    for source, field in ((one.subject, "subject"), (one.preheader, "preheader"), (one.html, "html")):
        assert tags.check(source, one.message_type, field=field) == []
    assert left_out.of_html(one.html) == ()
    parts = MessageParts(one.subject, one.html, preheader=one.preheader)
    message = compile_message(parts, Envelope.of("a@example.com"), Frame("https://mail.example.com", brand=LOOK))
    html, plain = (source_of(message.trees[kind]) for kind in ("html", "plain"))
    assert 'class="b-sheet"' in html and html.count("<h1") == 1
    assert len(html) < 30_000
    words = seen(html)
    for part in one.open_parts:
        assert part in words and part in " ".join(plain.split())


@pytest.mark.parametrize("key", MESSAGES)
def test_its_lines_fit_into_a_list_of_mails(key: str):
    one = said(key)
    assert len(one.subject) > 10 and 30 < len(one.preheader) <= 100
