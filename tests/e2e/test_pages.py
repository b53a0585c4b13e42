"""The pages as people meet them: in a real browser, on a phone, by keyboard, without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.e2e.browser import PHONE, sign_in
from tests.e2e.opened import TARGET, UNFOLD, WIDE, Opened, bottom, tab_to, violations
from tests.e2e.scenes import EMPTY, GOOD, MEND, Scenes, open_scenes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]

SIGNED_IN = [(MEND, 0), (MEND, 1), (GOOD, 0), (GOOD, 1), (EMPTY, 0), (EMPTY, 1)]
OPEN = ["/", "/arrivals", "/nothing", "/api/docs", "/sign-in/unknown"]


@pytest.fixture(scope="module")
def scenes(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    with open_scenes(tmp_path_factory.mktemp("scenes")) as scenes:
        yield scenes


@pytest.fixture(scope="module")
def states(browser: Browser, scenes: Scenes) -> dict[str, object]:
    """Each institution's signed-in browser, as its cookies."""
    kept = {}
    for institution in (MEND, GOOD, EMPTY):
        context = browser.new_context(base_url=scenes.server.url)
        sign_in(context.new_page(), scenes.link(institution))
        kept[institution] = context.storage_state()
        context.close()
    return kept


@pytest.fixture(params=[*SIGNED_IN, *OPEN], ids=str)
def place(request: pytest.FixtureRequest, scenes: Scenes) -> tuple[str | None, str]:
    """Every page in every state: whose browser, and the path."""
    if isinstance(request.param, str):
        return None, request.param
    institution, number = request.param
    return institution, scenes.pages(institution)[number]


@pytest.fixture
def open_page(browser: Browser, scenes: Scenes, states: dict[str, object]) -> Iterator[object]:
    contexts: list[BrowserContext] = []

    def opened(institution: str | None, path: str, **options: object) -> Opened:
        context = browser.new_context(
            base_url=scenes.server.url,
            viewport=options.pop("viewport", PHONE),
            storage_state=states[institution] if institution else None,
            **options,
        )
        contexts.append(context)
        return Opened(context, path)

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("institution", "words"), [(MEND, "Not all."), (GOOD, "Yes, everything"), (EMPTY, "Nothing has")]
)
@pytest.mark.parametrize("number", [0, 1])
def test_the_question_is_answered_above_the_fold_on_a_phone(
    open_page, scenes: Scenes, institution: str, words: str, number: int
) -> None:
    page = open_page(institution, scenes.pages(institution)[number]).page
    assert page.locator("#verdict h1").inner_text().startswith(words)
    assert bottom(page, "#verdict") <= PHONE["height"]
    if institution == MEND:
        assert bottom(page, ".card.mend h3") <= PHONE["height"], "what to mend first must be seen at once"
    if institution == EMPTY:
        assert bottom(page, "#first") <= PHONE["height"], "what to do must be seen at once"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, place: tuple[str | None, str], axe: str, scheme: str) -> None:
    page = open_page(*place, color_scheme=scheme).page
    assert violations(page, axe) == []


def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(
    open_page, scenes: Scenes, place: tuple[str | None, str]
) -> None:
    opened = open_page(*place)
    assert opened.errors == []
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith(scenes.server.url + "/")] == []


def test_nothing_scrolls_sideways_on_the_narrowest_screen_nor_with_text_twice_as_large(
    open_page, place: tuple[str | None, str]
) -> None:
    page = open_page(*place, viewport={"width": 320, "height": 640}).page
    assert page.evaluate(WIDE) <= 0
    page.evaluate(UNFOLD)
    assert page.evaluate(WIDE) <= 0
    page.set_viewport_size({"width": 640, "height": 740})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDE) <= 0


def test_text_is_large_and_targets_are_wide_enough(open_page, place: tuple[str | None, str]) -> None:
    page = open_page(*place).page
    small = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *, footer *')]
            .filter(each => each.innerText && parseFloat(getComputedStyle(each).fontSize) < 16)
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert small == []
    narrow = page.evaluate(
        """least => [...document.querySelectorAll('a:not(.skip), button, summary')]
            .filter(each => getComputedStyle(each).display !== 'inline' || !each.closest('p'))
            .filter(each => each.getBoundingClientRect().height < least)
            .map(each => each.outerHTML.slice(0, 80))""",
        TARGET,
    )
    assert narrow == []


def test_pages_are_whole_without_javascript(open_page, place: tuple[str | None, str]) -> None:
    with_it, without = open_page(*place), open_page(*place, java_script_enabled=False)
    assert (
        without.page.locator("main").inner_text().split()[:20]
        == with_it.page.locator("main").inner_text().split()[:20]
    )
    assert without.page.locator("h1").is_visible()


def test_a_person_signs_in_reads_and_signs_out_by_keyboard_alone(open_page, scenes: Scenes) -> None:
    page = open_page(None, scenes.link(GOOD), java_script_enabled=False).page
    tab_to(page, "Sign in on this device")
    page.keyboard.press("Enter")
    page.wait_for_url("**/arrivals")
    tab_to(page, "Hill School")
    page.keyboard.press("Enter")
    page.wait_for_url("**/arrivals/*")
    tab_to(page, "The same as a table")
    assert not page.get_by_role("table", name="Posts by day").is_visible()
    page.keyboard.press("Enter")
    assert page.get_by_role("table", name="Posts by day").is_visible()
    page.reload()
    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-out")
    assert "You are signed out" in page.locator("h1").inner_text()
    page.goto("/arrivals")
    assert "You are not signed in" in page.locator("h1").inner_text()


def test_the_first_tab_offers_to_skip_to_the_content(open_page, place: tuple[str | None, str]) -> None:
    page = open_page(*place).page
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the content"
    assert skip.bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_used_link_says_so_without_saying_whose_it_was(open_page, scenes: Scenes) -> None:
    link = scenes.link(MEND)
    sign_in(open_page(None, "/nothing").page, link)
    page = open_page(None, link).page
    page.get_by_role("button").click()
    page.wait_for_selector("text=no longer good")
    assert MEND not in page.content()


def test_the_table_behind_the_picture_holds_the_same_numbers(open_page, scenes: Scenes) -> None:
    page = open_page(MEND, "/arrivals").page
    page.get_by_text("The same as a table").click()
    cells = page.locator("details td.number").all_inner_texts()
    arrived, refused = sum(map(int, cells[::2])), sum(map(int, cells[1::2]))
    assert (
        page.locator("#days-desc")
        .text_content()
        .startswith(f"{arrived} posts arrived and {refused} posts were refused")
    )
    assert page.locator("svg[role=img] rect.down").count() == refused
