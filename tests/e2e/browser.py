"""A real, headless Chromium, and axe-core to judge pages with; skipped with a reason where missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}


class Missing(Exception):
    """Something that these tests need is not on this machine."""


def find_chromium() -> str:
    """Return the browser: LRS_TEST_CHROMIUM, or the system's."""
    found = (
        os.environ.get("LRS_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found is None or not Path(found).exists():
        raise Missing("no Chromium: install Debian's chromium, or name one in LRS_TEST_CHROMIUM")
    return found


def find_axe() -> str:
    """Return axe-core's source: LRS_TEST_AXE, node_modules, or fetched by npm into node_modules."""
    named = os.environ.get("LRS_TEST_AXE")
    place = Path(named) if named else ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not place.exists() and not named and shutil.which("npm"):
        command = ["npm", "install", "--prefix", str(ROOT), "--no-save", "--no-package-lock", "axe-core@4"]
        subprocess.run(command, check=False, capture_output=True, timeout=100)
    if not place.exists():
        raise Missing("no axe-core: npm install axe-core, or name axe.min.js in LRS_TEST_AXE")
    return place.read_text()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def skip_or_fail(missing: Missing) -> NoReturn:
    """Skip with the reason; fail where everything is required to run."""
    if os.environ.get("LRS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(str(missing))
    pytest.skip(str(missing))


def sign_in(page: Page, link: str) -> None:
    """Open a sign-in link and press its button, as a person does."""
    page.goto(link)
    page.get_by_role("button").click()
    page.wait_for_url("**/arrivals")
