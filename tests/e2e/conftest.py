"""What the end-to-end tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Missing, find_axe, open_browser, skip_or_fail
from tests.server import RunningServer, running_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A real server on an empty SQLite store."""
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser, one for a file of tests; they are skipped where there is none."""
    try:
        with open_browser() as browser:
            yield browser
    except Missing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    try:
        return find_axe()
    except Missing as missing:
        skip_or_fail(missing)
