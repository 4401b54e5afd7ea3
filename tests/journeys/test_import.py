"""Real client data, brought in through the console by a real worker, twice: the second time nothing changes."""

import re
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.consoles import Demo
from tests.looks import Looker
from webapp.paths import ROOT

OWN = ROOT / "tests" / "data"
EXPORTS = ROOT.parent / "shared" / "data"
"""Exports of a business, where they lie beside the clone; the oddities in them are also in our own small files."""


def files() -> Sequence[Path]:
    if (EXPORTS / "clients.csv").is_file():
        return [EXPORTS / name for name in ("clients.csv", "services.csv", "addons.csv", "clients-cp1252.csv")]
    names = ("clients-oddities.csv", "services-oddities.csv", "addons-oddities.csv", "kunden-cp1252.csv")
    return [OWN / name for name in names]


def check(demo: Demo, page: Page, file: Path) -> None:
    """Upload a file and have it checked; the page shows what an import would do."""
    page.goto(f"{demo.url}/clients/import/")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_role("button", name="Check, without importing").click()
    expect(page.get_by_role("heading", name="What an import would do")).to_be_visible(timeout=60_000)


def numbers(page: Page) -> dict[str, int]:
    """The figures of an import by their words."""
    parts = page.locator(".figures > div")
    return {
        part.locator("dt").inner_text(): int(part.locator("dd").inner_text().replace(",", "")) for part in parts.all()
    }


def test_exports_are_imported_through_the_console_and_again_without_a_change(
    demo: Demo, demo_page: Page, looker: Looker
):
    page = demo_page
    taken = {}
    for file in files():
        check(demo, page, file)
        if file.stem == "clients":
            looker.look("import")
        planned = numbers(page)
        assert planned["New"] + planned["Changed"] + planned["Unchanged"] > 0
        if planned["New"] + planned["Changed"]:
            page.locator("#next").click()
            expect(page.get_by_role("heading", name="What was done")).to_be_visible(timeout=60_000)
            assert numbers(page) == planned
        taken[file] = planned
    for file in files()[:3]:
        check(demo, page, file)
        again = numbers(page)
        assert (again["New"], again["Changed"]) == (0, 0), file.name
        assert again["Refused"] == taken[file]["Refused"]
        assert again["Unchanged"] == sum(taken[file][word] for word in ("New", "Changed", "Unchanged"))
        expect(page.get_by_text("There is nothing to import.")).to_be_visible()

    page.get_by_role("link", name=re.compile("All clients")).click()
    expect(page.locator("#client-list")).to_contain_text("clients")
