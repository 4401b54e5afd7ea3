"""Designs as agencies and their tools make them, before and after: nothing is lost but what is listed with its reason."""

import re
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rules.message.losses import losses, mail_of
from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS
from webapp.core.rules.preflight.left_out import of_html

DESIGNS = sorted((Path(__file__).parent / "designs").glob("*.html"))

REASONS = {
    r"meta http-equiv=Content-Type|meta content=text/html; charset=.*": "the mail is in UTF-8 and says so",
    r"html xml:lang=.*": "lang says it",
    r"any style=behavior:none": "behavior runs something in old programs, whatever its value",
    r"element style|style type=text/css": "all rules of this style sheet have gone inline",
}


@pytest.mark.parametrize("design", DESIGNS, ids=lambda path: path.stem)
def test_nothing_of_a_design_is_lost_without_a_reason(design):
    source = design.read_text()
    lost = losses(source, mail_of(source))
    assert [one for one in lost if not any(re.fullmatch(reason, one) for reason in REASONS)] == []


@pytest.mark.parametrize("design", DESIGNS, ids=lambda path: path.stem)
def test_nothing_of_a_good_design_is_complained_about_but_http_and_what_leads_nowhere(design):
    assert [problem.message for problem in of_html(design.read_text()) if "http://" not in problem.message] == []


def test_the_list_of_what_is_lost_sees_each_kind():
    rules = "<style>@media print{p{color:red}}</style><style>a{color:blue}</style>"
    before = f'{rules}<!--[if mso]><p>x</p><![endif]--><p title="t" style="top:0">y</p>'
    assert {one.split()[0] for one in losses(before, "<p>y</p>")} >= {
        "rule",
        "declaration",
        "condition",
        "element",
        "p",
        "any",
    }


QUERY = st.text(alphabet=st.sampled_from("abcxyz0123456789-._~%=&;+,:@!$'()*/?#[]|^`{}éß漢 <>\""), max_size=30).map(
    lambda text: text.replace("{{", "").replace("}}", "").replace("{%", "").replace("%}", "")
)
NAMES = st.sampled_from(
    ["a", "copy", "currency", "region", "section", "notify", "lt", "amp", "para", "times", "not", "sect", "order", "x"]
)
ADDRESSES = st.builds(
    lambda pairs, rest, tag: (
        "https://example.com/p?" + "&".join(f"{name}={value}" for name, value in pairs) + tag + rest
    ),
    st.lists(st.tuples(NAMES, st.sampled_from(["1", "eu", "", "%20", "ü"])), min_size=1, max_size=4),
    QUERY,
    st.sampled_from(["", "&id={{ client_id }}", "&id={{client_id}}&copy=2", "#{{ client_id }}"]),
)


def href(address: str) -> str:
    """The address as a careful program writes it into HTML."""
    parts = re.split(r"(\{\{.*?\}\})", address)
    return "".join(
        part
        if place % 2
        else part.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        for place, part in enumerate(parts)
    )


@settings(deadline=None, max_examples=120)
@given(addresses=st.lists(ADDRESSES, min_size=1, max_size=3))
def test_every_link_arrives_as_it_was_written(addresses):
    links = "".join(f'<p><a href="{href(address)}">go</a></p>' for address in addresses)
    outlook = "".join(f'<!--[if mso]><v:rect href="{href(address)}"></v:rect><![endif]-->' for address in addresses)
    found = READERS[1](rendered(compiled(links + outlook), {"client_id": "77"}))
    wanted = [re.sub(r"\{\{.*?\}\}", "77", address) for address in addresses]
    assert _hrefs(found.html or "", "a") == wanted
    assert (
        _hrefs("".join(re.findall(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", found.html or "", re.DOTALL)), "v:rect")
        == wanted
    )
    for address in wanted:
        assert f"go <{address.strip()}>" in found.text


@settings(deadline=None, max_examples=60)
@given(names=st.lists(NAMES, min_size=1, max_size=5))
def test_a_link_with_bare_ampersands_arrives_as_browsers_read_it(names):
    address = "https://example.com/?z=1" + "".join(f"&{name}=1" for name in names)
    source = f'<p><a href="{address}">go</a></p><!--[if mso]><v:rect href="{address}"></v:rect><![endif]-->'
    found = READERS[1](rendered(compiled(source), {}))
    assert _hrefs(source, "a") == [address]
    assert _hrefs(found.html or "", "a") == [address]
    assert f'href="{address.replace("&", "&amp;")}"' in (found.html or "").partition("<!--[if mso]>")[2]
    assert f"go <{address}>" in found.text


def _hrefs(html: str, element: str) -> list[str]:
    return [node.get("href", "") for node in html5lib.parse(html, namespaceHTMLElements=False).iter(element)]
