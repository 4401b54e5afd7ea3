"""A page as its readers see it. Tests find what stands in it by id, name and words, and do not cut it out of the markup's text."""

from collections.abc import Iterator
from typing import Any

from lxml import html
from lxml.html import HtmlElement
from werkzeug.test import TestResponse

UNSEEN = frozenset({"script", "style", "template", "head", "title"})
INLINE = frozenset(
    "a abbr b bdi bdo button code em i input kbd label mark q s small span strong sub sup time u var wbr".split(" ")  # noqa: SIM905
)
"""Elements beside which no word ends."""


def read(answer: TestResponse | str) -> "Page":
    """The page, or the fragments, of an answer or of a text of HTML."""
    text = answer if isinstance(answer, str) else answer.text
    page = html.document_fromstring(text if text.strip() else "<p></p>")
    for area in page.iter("textarea"):  # HTML leaves out a line break right behind the tag, libxml2 does not
        area.text = (area.text or "").removeprefix("\n")
    return Page(page)


class Part:
    """An element. A `selector` is `#an-id`, or an XPath: `table`, `a[@rel='next']` (from the element itself downwards) or `./td`."""

    def __init__(self, element: HtmlElement):
        self.element = element

    def __contains__(self, words: str) -> bool:
        return words in self.words

    def __getitem__(self, attribute: str) -> str:
        """The value of an attribute that must be there."""
        return str(self.element.attrib[attribute])

    def get(self, attribute: str) -> str | None:
        return self.element.get(attribute)

    @property
    def words(self) -> str:
        """What can be read in it, in one line: neither what is hidden nor what is no text."""
        return " ".join("".join(_texts(self.element)).split())

    @property
    def markup(self) -> str:
        """Its HTML in one form, for comparison."""
        return str(html.tostring(self.element, encoding="unicode", with_tail=False))

    def all(self, selector: str) -> list["Part"]:
        """Every such element, in the order of the page."""
        return [Part(found) for found in self.element.xpath(_path(selector))]

    def at(self, selector: str) -> "Part":
        """The one such element."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        return bool(self.all(selector))

    def text(self, selector: str) -> str:
        """What can be read in the one such element."""
        return self.at(selector).words

    def texts(self, selector: str) -> list[str]:
        return [part.words for part in self.all(selector)]

    def rows(self, selector: str = ".") -> list[list[str]]:
        """The cells of each row of the one such table, its head included."""
        return [row.texts("./td | ./th") for row in self.at(selector).all("tr")]

    def value(self, name: str) -> str:
        """The value of the one field or button with this name; a list of choices has that of the chosen one."""
        field = self.at(f"*[@name='{name}']").element
        value = field.value if hasattr(field, "value") else field.get("value")
        return value or ""

    def values(self, name: str) -> list[str]:
        """The values of all fields and buttons with this name."""
        return [part["value"] for part in self.all(f"*[@name='{name}']")]

    def link(self, words: str) -> str:
        """Where the one link with exactly these words leads."""
        found = [part["href"] for part in self.all("a[@href]") if part.words == words]
        assert len(found) == 1, f"{len(found)} links “{words}”"
        return found[0]

    def form(self, selector: str = "form") -> "Form":
        return Form(self.at(selector).element)

    @property
    def next(self) -> str | None:
        """Where the following page is."""
        return self._related("next")

    @property
    def previous(self) -> str | None:
        return self._related("prev")

    def _related(self, rel: str) -> str | None:
        return next((part["href"] for part in self.all(f"a[@rel='{rel}'][@href]")), None)


class Page(Part):
    """A whole page, or the fragments of an answer."""

    @property
    def heading(self) -> str:
        return self.text("h1")

    @property
    def alerts(self) -> list[str]:
        """What is said in alarm."""
        return self.texts("*[@role='alert']")


class Form(Part):
    """A form as it stands."""

    @property
    def fields(self) -> dict[str, Any]:
        """What a browser would send, without any button: by name the value, or a list where there are several."""
        found: dict[str, Any] = {}
        for name, value in self.element.form_values():
            if name not in found:
                found[name] = value
            else:
                found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
        return found


def _path(selector: str) -> str:
    if selector.startswith("#"):
        return f"descendant-or-self::*[@id='{selector[1:]}']"
    return selector if selector.startswith(".") else f"descendant-or-self::{selector}"


def _texts(element: HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str) or element.tag in UNSEEN or "hidden" in element.attrib:
        return
    edge = "" if element.tag in INLINE else " "
    yield edge
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""
    yield edge
