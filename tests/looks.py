"""Looking at a page as people with different screens, themes and abilities do, and taking its picture."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
THEMES = ("light", "dark")

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], "resultTypes": ["violations"]}


class Looker:
    """Looks at what a browser shows. `complaints` is what was wrong so far: text too pale, parts without a name, a page wider than its
    window, errors in the browser's console."""

    def __init__(self, page: Page, folder: Path):
        self.page = page
        self.folder = folder
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))

    def look(self, name: str, *, whole: bool = False) -> None:
        """Look at the present page at both widths in both themes; the pictures are `name`-light, `name`-dark and `name`-phone."""
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            self._see(f"{name}-{theme}", DESKTOP, whole)
        self.page.emulate_media(color_scheme="light")
        self._see(f"{name}-phone", PHONE, whole)
        self.page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]

    def _see(self, name: str, size: dict[str, int], whole: bool) -> None:
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wider > 0:
            self.complaints.append(f"{name}: {wider} pixels wider than the window")
        for violation in Axe().run(self.page, options=RULES).response["violations"]:
            places = "; ".join(" ".join(node["target"]) for node in violation["nodes"][:4])
            self.complaints.append(f"{name}: {violation['help']}: {places}")
        self.page.screenshot(path=self.folder / f"{name}.png", full_page=whole, animations="disabled")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")


@contextmanager
def without_complaint(page: Page, is_expected: Callable[[str], bool]) -> Iterator[None]:
    """Fails where the browser's console has anything to complain of meanwhile but what a test brings about on purpose."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not is_expected(message.text):
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield
    assert complaints == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go: MASSMAIL_PICTURES when somebody wants to keep them (the README's are in `docs`), else a passing folder."""
    folder = Path(os.environ.get("MASSMAIL_PICTURES") or tmp_path / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def looker(page: Page, pictures: Path) -> Iterator[Looker]:
    """Looks at `page`; the test fails at its end with everything that was wrong."""
    looker = Looker(page, pictures)
    yield looker
    assert not looker.complaints, "\n".join(looker.complaints)
