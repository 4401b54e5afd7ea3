"""Every script of static/ as the browser reads it: its grammar, and the names it imports."""

import pytest

from tests import source
from tests.browser.unit.conftest import Bench

SCRIPTS = [name for name in source.tracked_files() if name.startswith("static/") and name.endswith(".js")]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_browser_can_read_it(bench: Bench, name: str):
    """What it then misses in an empty page is another kind of error."""
    bench.lay()
    kind = bench.page.evaluate(
        "path => import(path).then(() => '', (error) => error.name + ': ' + error.message)", f"/{name}"
    )
    assert not str(kind).startswith("SyntaxError"), kind
    assert "Failed to fetch" not in str(kind), kind
