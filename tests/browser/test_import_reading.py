"""What a person is asked about how a file is written, in a real browser."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.consoles import Console
from tests.core.imports.steps import CASES


@pytest.fixture
def opened(console: Console, console_page: Page):
    """Upload one of the files that went wrong once; its page."""

    def open_(name: str) -> Page:
        console_page.goto(f"{console.url}/clients/import/")
        console_page.locator("#file").set_input_files(CASES / name)
        console_page.get_by_role("button", name="Upload and look").click()
        expect(console_page.get_by_role("heading", name="Look at this first")).to_be_visible()
        return console_page

    return open_


def test_an_encoding_is_chosen_by_its_words(opened):
    page = opened("15-macintosh.csv")
    expect(page.get_by_role("button", name=re.compile("Read so.*Mac Roman"))).to_have_attribute("aria-pressed", "true")
    page.get_by_text("other encodings").click()
    page.get_by_role("button", name=re.compile("Read it so.*Windows-1252")).click()
    expect(page.get_by_role("button", name=re.compile("Read so.*Windows-1252"))).to_be_visible()
    expect(page.get_by_text("Zo‘ · ").first).to_be_visible()


def test_column_names_are_asked_for_before_the_kind(opened):
    page = opened("16-no-header.csv")
    expect(page.get_by_role("group", name="Are these the names of the columns?")).to_be_visible()
    page.get_by_role("button", name="Yes, column names").click()
    expect(page.get_by_role("button", name="Yes, column names")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "name", ["13-mixed-encodings.csv", "14-double-encoded.csv", "15-macintosh.csv", "16-no-header.csv"]
)
def test_the_questions_fit_the_page(opened, name, width):
    page = opened(name)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if os.environ.get("SHOTS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{os.environ['SHOTS']}/{name[:2]}-{width}-{scheme}.png", full_page=True)
