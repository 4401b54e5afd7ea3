"""What of a design is not in the mail that was made of it: elements, attributes, declarations, rules and conditional comments.

Read by html5lib, also with what only Outlook reads. `python -m tests.core.rules.message.losses FILE …` lists it for designs of your own.
"""

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Comment, Element

import html5lib
import tinycss2

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS

CONDITIONS = re.compile(
    r"<!--\[if[^\]]*\]>(?:<!)?[-/\s]*>|<!--[-\s]*<!\[endif\][-\s]*>|<!--\[if[^\]]*\]>|<!(?:--)?\[if[^\]]*\]>|<!\[endif\](?:--)?>",
    re.IGNORECASE,
)


def mail_of(source: str) -> str:
    """The HTML that is sent of a design, with `value` for each tag."""
    message = compiled(source)
    return READERS[1](rendered(message, dict.fromkeys(message.tags, "value"))).html or ""


def losses(source: str, mail: str) -> list[str]:
    """Each thing that is lost, in words of `kind what`."""
    source = re.sub(r"\{\{.*?\}\}", "value", source)
    return [*_of_elements(source, mail), *_of_styles(source, mail), *_of_conditions(source, mail)]


def _of_elements(source: str, mail: str) -> list[str]:
    there = _elements(mail)
    found = []
    for one, count in _elements(source).items():
        if there[one] < count:
            found.append(f"{one[0]} {one[1]}={one[2]}" if one[1] else f"element {one[0]}")
    return found


def _elements(html: str) -> Counter[tuple[str, str, str]]:
    """Elements, and attributes with their values; of a style attribute its declarations."""
    found: Counter[tuple[str, str, str]] = Counter()
    opened = CONDITIONS.sub("", html)
    for node in html5lib.parse(opened, namespaceHTMLElements=False).iter():
        if node.tag is Comment or not isinstance(node.tag, str):
            continue
        found[(node.tag, "", "")] += 1
        for name, value in node.attrib.items():
            if name == "style":
                for declaration in _declarations(value):
                    found[("any", "style", declaration)] += 1
            else:
                found[(node.tag, str(name), " ".join(value.split()))] += 1
    return found


def _declarations(text: str) -> list[str]:
    return [
        _plain(f"{item.lower_name}:{tinycss2.serialize(item.value)}")
        for item in tinycss2.parse_declaration_list(text, skip_comments=True, skip_whitespace=True)
        if item.type == "declaration"
    ]


def _of_styles(source: str, mail: str) -> list[str]:
    """Declarations of rules that are neither inline nor in a style sheet of the mail; at-rules that are not there whole."""
    there = _plain(" ".join(_sheets(mail)))
    inline = {one[2] for one in _elements(mail) if one[1] == "style"}
    found = []
    for sheet in _sheets(source):
        for rule in tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True):
            if rule.type == "at-rule" and _plain(rule.serialize()) not in there:
                found.append(f"rule {rule.serialize()[:80]}")
            if rule.type == "qualified-rule":
                for declaration in _declarations(tinycss2.serialize(rule.content)):
                    if declaration not in inline and declaration not in there:
                        found.append(f"declaration {declaration}")
    return found


def _sheets(html: str) -> list[str]:
    return [node.text or "" for node in _tree(html).iter("style")]


def _tree(html: str) -> Element:
    return html5lib.parse(CONDITIONS.sub("", html), namespaceHTMLElements=False)


def _plain(css: str) -> str:
    css = re.sub(r"\s+|/\*\*/|;", "", css.replace('"', "'")).lower()
    return css.replace("url('", "url(").replace("')", ")")


def _of_conditions(source: str, mail: str) -> list[str]:
    there = Counter(CONDITIONS.findall(mail))
    return [f"condition {one}" for one, count in Counter(CONDITIONS.findall(source)).items() if there[one] < count]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        text = Path(name).read_text()
        for lost in losses(text, mail_of(text)):
            print(f"{name}: {lost}")
