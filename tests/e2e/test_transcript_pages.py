"""The registrar's pages: in a real browser, on a phone, by keyboard, without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.browser import PHONE
from tests.e2e.opened import TARGET, UNFOLD, WIDE, Opened, bottom, tab_to, violations
from tests.e2e.registrars import NOT_YET, PARTLY, READY, Registrar, open_registrar
from tests.transcripts import MUSEUM, SCHOOL

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("transcript pages")]

PLACES = [READY, PARTLY, NOT_YET, "all", "why", "shared", "empty"]
MOST_BYTES = 100_000


@pytest.fixture(scope="module")
def registrar(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registrar]:
    with open_registrar(tmp_path_factory.mktemp("registrar")) as registrar:
        yield registrar


@pytest.fixture(scope="module")
def cookies(browser: Browser, registrar: Registrar) -> dict[str, object]:
    """Each institution's signed-in registrar."""
    kept: dict[str, object] = {}
    for institution in (SCHOOL, MUSEUM):
        context = browser.new_context(base_url=registrar.server.url)
        page = context.new_page()
        page.goto(registrar.link(institution))
        page.get_by_role("button").click()
        page.wait_for_url("**/transcripts")
        kept[institution] = context.storage_state()
        context.close()
    return kept


@pytest.fixture
def open_page(browser: Browser, registrar: Registrar, cookies: dict[str, object]) -> Iterator[object]:
    contexts: list[BrowserContext] = []

    def opened(place: str, **options: object) -> Opened:
        paths = {
            **registrar.states,
            **registrar.places,
            "shared": registrar.shared,
            "empty": "/transcripts",
        }
        whose = None if place == "shared" else MUSEUM if place == "empty" else SCHOOL
        context = browser.new_context(
            base_url=registrar.server.url,
            viewport=options.pop("viewport", PHONE),
            storage_state=cookies[whose] if whose else None,
            **options,
        )
        contexts.append(context)
        return Opened(context, paths[place])

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (READY, "Yes, it is ready."),
        (PARTLY, "Yes; some things are not on it."),
        (NOT_YET, "Not yet."),
        ("all", "Transcripts"),
        ("why", "Work-based learning"),
        ("shared", "Ada Sample"),
        ("empty", "Transcripts"),
    ],
)
def test_the_question_is_answered_above_the_fold_on_a_phone(open_page, place: str, words: str) -> None:
    page = open_page(place).page
    assert page.locator("#verdict h1").inner_text() == words
    assert bottom(page, "#verdict") <= PHONE["height"]
    if place in {READY, PARTLY, NOT_YET, "shared"}:
        assert bottom(page, "a.button") <= PHONE["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing(open_page, place: str, axe: str, scheme: str) -> None:
    page = open_page(place, color_scheme=scheme).page
    assert violations(page, axe) == []


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(
    open_page, registrar: Registrar, place: str
) -> None:
    opened = open_page(place)
    assert opened.errors == []
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith(registrar.server.url + "/")] == []
    assert len(opened.page.content().encode()) < MOST_BYTES


@pytest.mark.parametrize("place", PLACES)
def test_nothing_scrolls_sideways_on_the_narrowest_screen_nor_with_text_twice_as_large(
    open_page, place: str
) -> None:
    page = open_page(place, viewport={"width": 320, "height": 640}).page
    page.evaluate(UNFOLD)
    assert page.evaluate(WIDE) <= 0
    page.set_viewport_size({"width": 640, "height": 740})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDE) <= 0


@pytest.mark.parametrize("place", PLACES)
def test_text_is_large_and_targets_are_wide_enough(open_page, place: str) -> None:
    page = open_page(place).page
    small = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *, footer *')]
            .filter(each => each.innerText && parseFloat(getComputedStyle(each).fontSize) < 16)
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert small == []
    narrow = page.evaluate(
        """least => [...document.querySelectorAll('a:not(.skip), button, summary, select')]
            .filter(each => getComputedStyle(each).display !== 'inline' || !each.closest('p'))
            .filter(each => each.getBoundingClientRect().height < least)
            .map(each => each.outerHTML.slice(0, 80))""",
        TARGET,
    )
    assert narrow == []


@pytest.mark.parametrize("place", PLACES)
def test_pages_are_whole_without_javascript(open_page, place: str) -> None:
    with_it, without = open_page(place), open_page(place, java_script_enabled=False)
    assert without.page.locator("main").inner_text() == with_it.page.locator("main").inner_text()


def test_a_registrar_goes_from_the_list_to_a_record_by_keyboard_alone(open_page) -> None:
    page = open_page("all", java_script_enabled=False).page
    page.get_by_label("Crosswalk").select_option("diploma")
    tab_to(page, "Show")
    page.keyboard.press("Enter")
    page.wait_for_url("**/transcripts?crosswalk=diploma&name=")
    tab_to(page, "Ada Sample")
    page.keyboard.press("Enter")
    page.wait_for_url("**/transcripts/*?crosswalk=diploma")
    tab_to(page, "Why: 3 records\nbehind Work-based learning")
    page.keyboard.press("Enter")
    page.wait_for_url("**/why?*")
    assert page.locator("li.card").count() == 3
    tab_to(page, "Back to the transcript")


def test_a_link_opens_for_whoever_has_it_and_leads_no_further(open_page) -> None:
    page = open_page("shared").page
    assert page.get_by_role("button", name="Sign out").count() == 0
    page.get_by_role("link", name="Why: 3 records").click()
    assert "Mara Ek (mentor)" in page.locator("main").inner_text()
    page.goto("/transcripts")
    assert page.locator("h1").inner_text() == "You are not signed in"
