"""What every test may ask for. The fixtures live beside this file, one file a subject; see `pytest_plugins`."""

import os
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest

from tests import order, run

hypothesis.settings.register_profile("shared machines", deadline=None)
hypothesis.settings.load_profile("shared machines")

pytest_plugins = ["tests.databases", "tests.neighbours", "tests.visitors", "tests.consoles", "tests.looks"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="try all values also where every day some of them are enough")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--full"):
        os.environ[run.FULL] = "1"
    if not hasattr(config, "workerinput"):
        run.begin()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        run.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = order.in_order(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In the mode in which nothing may be skipped, a skip is a failure."""
    report = yield
    if report.skipped and run.nothing_may_be_skipped() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's browser is the machine's Chromium; none is downloaded."""
    from tests.consoles import chromium

    args = ["--disable-background-networking", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {**browser_type_launch_args, "executable_path": chromium(), "args": args}
