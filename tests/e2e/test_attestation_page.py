"""The page of an attestation as a mentor meets it: a phone, a link, two taps; no account, no JavaScript."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browser import PHONE
from tests.e2e.opened import TARGET, WIDE, Opened, bottom, violations
from tests.e2e.scenes import attestation
from tests.server import RunningServer, running_server

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("attestation page")]


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("attest")
    with running_server(f"sqlite:///{folder}/lrs.db", folder) as server:
        server.make_key("Hill School")
        yield server


@pytest.fixture(scope="module")
def link(server: RunningServer) -> str:
    """A link that no test uses up."""
    return attestation(server)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    contexts: list[BrowserContext] = []

    def make(url: str, **options: Any) -> Opened:
        contexts.append(browser.new_context(**{"viewport": PHONE, **options}))
        return Opened(contexts[-1], url)

    yield make
    for context in contexts:
        context.close()


def refuse(page: Page) -> None:
    """Press the button without a choice: the page tells what is missing."""
    page.get_by_role("button", name="Yes, I confirm this").click()
    page.get_by_role("alert").wait_for()
    page.wait_for_load_state("load")  # with its styles: what is measured depends on them


def test_who_asks_what_and_both_answers_are_seen_without_scrolling(open_page: Any, link: str) -> None:
    page = open_page(link).page
    for text in ("Did Mia Sol do this?", "Repaired the blue boat", "Could teach it", "Yes, I confirm this"):
        assert bottom(page, f"text={text}") <= PHONE["height"], text
    assert "Ivo Brandt, Hill School asks you to confirm:" in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("is_wrong", [False, True])
def test_axe_finds_nothing(open_page: Any, link: str, axe: str, scheme: str, is_wrong: bool) -> None:
    page = open_page(link, color_scheme=scheme).page
    if is_wrong:
        refuse(page)
    assert violations(page, axe) == []


@pytest.mark.parametrize("is_wrong", [False, True])
def test_nothing_scrolls_sideways_and_targets_are_wide_enough(
    open_page: Any, link: str, is_wrong: bool
) -> None:
    page = open_page(link, viewport={"width": 320, "height": 640}).page
    if is_wrong:
        refuse(page)
    assert page.evaluate(WIDE) <= 0
    narrow = page.evaluate(
        """least => [...document.querySelectorAll('button, .choices label, input[name=hours], textarea')]
            .filter(each => each.getBoundingClientRect().height < least).map(each => each.outerHTML)""",
        TARGET,
    )
    assert narrow == []
    page.set_viewport_size({"width": 640, "height": 740})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDE) <= 0


def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(
    open_page: Any, server: RunningServer, link: str
) -> None:
    opened = open_page(link)
    assert opened.errors == []
    assert [url for url in opened.requests if not url.startswith(server.url + "/")] == []
    assert sum(len(opened.page.request.get(url).body()) for url in opened.requests) < 100_000


def test_what_is_missing_takes_the_focus_and_leads_to_its_field(open_page: Any, link: str) -> None:
    page = open_page(link).page
    page.get_by_label("Hours").fill("2,5")
    refuse(page)
    alert = page.get_by_role("alert")
    assert alert.evaluate("each => each === document.activeElement")
    assert page.get_by_label("Hours").input_value() == "2,5"
    alert.get_by_role("link", name="Choose how it went.").click()
    assert page.url.endswith("#level")


def test_two_taps_on_a_phone_without_javascript_confirm_once(open_page: Any, server: RunningServer) -> None:
    mine = attestation(server)
    page = open_page(mine, java_script_enabled=False).page
    page.get_by_label("Alone").click()
    page.get_by_role("button", name="Yes, I confirm this").click()
    page.wait_for_url("**/attest/done")
    assert "Thank you" in page.locator("h1").inner_text()
    page.goto(mine)
    assert page.locator("h1").inner_text() == "This link is no longer good"
    assert "Mia" not in page.content()
    key = server.make_key("Hill School")
    found = server.call("GET", "/xapi/statements", key=key).json()["statements"]
    assert [one["result"]["extensions"] for one in found] == [{"https://w3id.org/lrs/level": "Alone"}]


def test_a_mentor_confirms_by_keyboard_alone(open_page: Any, server: RunningServer) -> None:
    page = open_page(attestation(server)).page
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("She planed every plank.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/attest/done")


def test_a_mentor_who_cannot_confirm_it_presses_one_button(open_page: Any, server: RunningServer) -> None:
    page = open_page(attestation(server)).page
    page.get_by_role("button", name="I cannot confirm it").click()
    page.wait_for_url("**/attest/done")
