"""Nothing of what is known to harm leaves, however a mail program reads the mail: read by html5lib, judged by rules of the test's own."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Comment

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.payloads import PAYLOADS
from tests.core.rules.message.readers import READERS
from webapp.core.errors import Invalid
from webapp.core.rules.tags.names import TAGS

VALUE = (
    "\"'><script>alert(1)</script><!-- --><img src=x onerror=alert(1)> javascript:alert(1) `--!> {{ company }} </style>"
)
RUNS = frozenset({
    "applet", "base", "bgsound", "button", "embed", "form", "frame", "frameset", "iframe", "ilayer", "input", "isindex", "keygen",
    "layer", "link", "marquee", "math", "object", "plaintext", "portal", "script", "select", "svg", "template", "textarea", "video", "xmp",
})  # fmt: skip
ADDRESSES = (
    "href",
    "src",
    "srcset",
    "background",
    "action",
    "formaction",
    "data",
    "ping",
    "cite",
    "lowsrc",
    "dynsrc",
    "usemap",
    "poster",
)
SAFE = re.compile(r"(?:https?://|mailto:|tel:|sms:|cid:|webcal:|whatsapp:|geo:|#)", re.IGNORECASE)
HARMFUL_CSS = re.compile(
    r"@import|@charset|@namespace|expression\s*\(|behavior\s*:|-moz-binding\s*:|(?:java|vb)script\s*:|url\(\s*['\"]?data:",
    re.IGNORECASE,
)

CONTEXTS = {
    "alone": "{}",
    "in a cell": "<table><tr><td>{}</td></tr></table>",
    "in a document": "<!DOCTYPE html><html><head><title>x</title></head><body>{}</body></html>",
    "in a head": "<!DOCTYPE html><html><head>{}</head><body>x</body></html>",
    "for Outlook": "<p>x</p><!--[if mso]><table><tr><td>{}</td></tr></table><![endif]-->",
    "for others": "<!--[if !mso]><!-- --><p>{}</p><!--<![endif]-->",
}  # fmt: skip


def views(html: str) -> set[str]:
    """The document as mail programs are known to read it: with what is for Outlook, without comments as one finds them by searching,
    without style sheets, without NUL, on one line."""
    without_style = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL | re.IGNORECASE)
    return {
        html,
        re.sub(r"<!--\[if[^\]]*\]>|<!\[endif\]-->", "", html, flags=re.IGNORECASE),
        re.sub(r"<!(?:--)?\[if[^\]]*\]>(?:<!)?(?:-->)?|(?:<!--)?<!\[endif\](?:--)?>", "", html, flags=re.IGNORECASE),
        re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL),
        re.sub(r"<!--.*?--!?>", "", html, flags=re.DOTALL),
        without_style,
        html.replace("\0", ""),
        " ".join(html.split()),
        html.replace("<!--", "").replace("-->", ""),
    }


def harm(html: str) -> Iterator[str]:
    for scripting in (False, True) if "<noscript" in html else (False,):
        for node in html5lib.parse(html, namespaceHTMLElements=False, scripting=scripting).iter():
            if node.tag is Comment or not isinstance(node.tag, str):
                continue
            name = node.tag.lower().rpartition("}")[2].rpartition(":")[2]
            if name in RUNS:
                yield f"<{node.tag}>"
            if name == "meta" and node.get("http-equiv", "x-ua-compatible").lower() != "x-ua-compatible":
                yield "an instruction to the browser"
            if name == "style" and HARMFUL_CSS.search(unescaped(node.text or "")):
                yield f"style {node.text}"
            for attribute, value in node.attrib.items():
                local = str(attribute).lower().rpartition(":")[2].rpartition("}")[2]
                if local.startswith("on") or (local in ("srcdoc", "style") and HARMFUL_CSS.search(unescaped(value))):
                    yield f"{attribute}={value}"
                if local in ADDRESSES and not SAFE.match(
                    re.sub(r"[\t\n\r]", "", value).strip("".join(map(chr, range(33))))
                ):
                    yield f"{attribute}={value}"


def unescaped(css: str) -> str:
    """CSS without its comments and escapes, wide letters as letters."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\\([0-9a-fA-F]{1,6})\s?", lambda match: chr(min(int(match[1], 16), 0x10FFFF)), css)
    return re.sub(r"\\(.)", r"\1", re.sub("[\uff21-\uff5a]", lambda match: chr(ord(match[0]) - 0xFEE0), css))


def sent(source: str) -> str | None:
    """The HTML that leaves, with values that are markup themselves; None for a source that is refused in words."""
    try:
        message = compiled(source)
    except Invalid as refusal:
        assert len(str(refusal)) > 20
        return None
    return READERS[1](rendered(message, {tag.name: VALUE for tag in TAGS})).html


def harms(source: str) -> list[str]:
    return [found for view in views(sent(source) or "") for found in harm(view)]


def test_the_table_is_as_long_as_it_should_be():
    assert sum(map(len, PAYLOADS.values())) >= 200


@pytest.mark.parametrize("family", PAYLOADS)
def test_nothing_of_the_family_gets_through(family):
    through = {
        (where, payload): found
        for payload in PAYLOADS[family]
        for where, around in CONTEXTS.items()
        if (found := harms(around.replace("{}", payload)))
    }
    assert not through


@pytest.mark.parametrize("family", ["scripts", "comments", "style"])
def test_nothing_gets_through_when_each_piece_is_in_pieces(family):
    for payload in PAYLOADS[family]:
        for split in ("<x>", "<!-- -->", "<![if x]>", "</x>", "<o:p>"):
            assert not harms(payload.replace("<", f"<{split}")), payload
            assert not harms(f"<!--[if mso]>{payload.replace('-', f'-{split}')}<![endif]-->"), payload


markup = st.lists(
    st.sampled_from(
        [
            "<!--", "-->", "--!>", "<!--[if mso]>", "<![endif]-->", "<!--[if !mso]><!-->", "<!--<![endif]-->", "<![if !mso]>",
            "<![endif]>", "<", ">", "<x>", "</x>", "<p title='", "'", '"', "<style>", "</style>", "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>", "<svg>", "</svg>", "<math>", "<table>", "<td>", "</table>", "<a href=", "javascript:alert(1)",
            "<title>", "</title>", "<textarea>", "<noscript>", "</noscript>", "<template>", "<select>", "<plaintext>", "<![CDATA[", "]]>",
            "{{ company }}", "{% if company %}", "{% endif %}", "--", "-", "!", "\0", "`", "@\\69mport 'x';", "<html>", "<body onload=x>",
            "<head>", "<v:rect ", "x",
        ]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(source=markup)
def test_nothing_gets_through_whatever_is_put_together(source):
    assert not harms(source)


def test_the_test_sees_harm_where_there_is_some():
    for payload in (
        "<script>x</script>",
        "<p onclick=x>",
        "<a href=' java\nscript:x'>",
        "<p style='width:e\\78pression(x)'>",
        "<meta http-equiv=refresh>",
    ):
        assert list(harm(payload)), payload
