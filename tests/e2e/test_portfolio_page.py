"""The portfolio as its learner meets it: in a real browser, on a phone, by keyboard, without JavaScript."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browser import PHONE
from tests.e2e.opened import TARGET, UNFOLD, WIDE, Opened, bottom, violations
from tests.e2e.people import BEHIND, EMPTY, FULL, STATES, UNWILLING, People, open_people

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.xdist_group("portfolio pages")]

LARGEST_PAGE = 100_000
PAPER = {"width": 718, "height": 1000}
"""A4 with its margins, at 96 points to the inch."""


@pytest.fixture(scope="module")
def people(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with open_people(tmp_path_factory.mktemp("people")) as people:
        yield people


@pytest.fixture(scope="module")
def states(browser: Browser, people: People) -> dict[str, object]:
    """Each learner's signed-in browser, as its cookies."""
    kept = {}
    for state in STATES:
        context = browser.new_context(base_url=people.server.url)
        page = context.new_page()
        page.goto(people.sign_in_link(state))
        page.get_by_role("button").click()
        page.wait_for_url("**/portfolio")
        kept[state] = context.storage_state()
        context.close()
    return kept


@pytest.fixture(scope="module")
def shared(people: People) -> str:
    """The path of a link that shows everything of one learner to whoever has it."""
    return people.share_link(FULL)


@pytest.fixture(scope="module")
def why(browser: Browser, people: People, states: dict[str, object]) -> str:
    """The path of the page that explains the first level."""
    context = browser.new_context(base_url=people.server.url, storage_state=states[FULL])
    page = context.new_page()
    page.goto("/portfolio")
    path = page.locator("#competencies ~ ul .way a").last.get_attribute("href")
    context.close()
    assert path
    return path


@pytest.fixture(params=[FULL, EMPTY, "why", "shared", "closed"])
def place(request: pytest.FixtureRequest, shared: str, why: str) -> tuple[str | None, str]:
    """Every page, with much on it and with nothing: whose browser, and the path."""
    others = {"why": (FULL, why), "shared": (None, shared), "closed": (None, "/portfolio/shared/unknown")}
    found: tuple[str | None, str] = others.get(request.param, (request.param, "/portfolio"))
    return found


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser, people: People, states: dict[str, object]) -> Iterator[Open]:
    contexts: list[BrowserContext] = []

    def opened(state: str | None, path: str, **options: object) -> Opened:
        context = browser.new_context(
            base_url=people.server.url,
            viewport=options.pop("viewport", PHONE),
            storage_state=states[state] if state else None,
            **options,
        )
        contexts.append(context)
        return Opened(context, path)

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("state", STATES)
def test_the_three_questions_are_answered_above_the_fold_on_a_phone(open_page: Open, state: str) -> None:
    page = open_page(state, "/portfolio").page
    answers = page.locator("#glance dt").all_inner_texts()
    assert answers == ["What I have done", "What I am good at", "What is next"]
    assert bottom(page, "#glance") <= PHONE["height"]
    assert all(text.strip() for text in page.locator("#glance dd").all_inner_texts())


def test_whoever_has_a_link_reads_the_same_answers_above_the_fold(open_page: Open, shared: str) -> None:
    own, others = open_page(FULL, "/portfolio").page, open_page(None, shared).page
    assert others.locator("#glance").inner_text() == own.locator("#glance").inner_text()
    assert bottom(others, "#glance") <= PHONE["height"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FULL, ["Tide Maker", "Strong in", "Who may see it", "Port Amaris Harbour School"]),
        (UNWILLING, ["Nobody yet. Without your word a school sees only what it recorded itself"]),
        (EMPTY, ["Nothing is recorded here yet.", "How it begins", "Your portfolio"]),
        (BEHIND, ["Still arriving:"]),
    ],
)
def test_each_state_says_what_it_is(open_page: Open, state: str, words: list[str]) -> None:
    text = open_page(state, "/portfolio").page.locator("main").inner_text()
    assert [one for one in words if one not in text] == []
    assert ("Still arriving:" in text) == (state == BEHIND)


def test_sections_stand_in_the_order_in_which_people_ask(open_page: Open) -> None:
    page = open_page(FULL, "/portfolio").page
    assert page.locator("main h2").all_inner_texts() == [
        "At a glance",
        "What is next",
        "Competencies",
        "Awards",
        "Timeline",
        "Plans and goals",
        "My words",
        "Who has seen this",
        "Who may see it",
        "Take it with you",
        "This is not me, or this is wrong",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Open, place: tuple[str | None, str], axe: str, scheme: str) -> None:
    page = open_page(*place, color_scheme=scheme).page
    assert violations(page, axe) == []


def test_nothing_is_complained_of_and_nothing_comes_from_elsewhere(
    open_page: Open, people: People, place: tuple[str | None, str]
) -> None:
    opened = open_page(*place)
    assert opened.errors == []
    assert opened.requests
    assert [url for url in opened.requests if not url.startswith(people.server.url + "/")] == []


def test_nothing_scrolls_sideways_on_the_narrowest_screen_nor_with_text_twice_as_large(
    open_page: Open, place: tuple[str | None, str]
) -> None:
    page = open_page(*place, viewport={"width": 320, "height": 640}).page
    assert page.evaluate(WIDE) <= 0
    page.evaluate(UNFOLD)
    assert page.evaluate(WIDE) <= 0
    page.set_viewport_size({"width": 640, "height": 740})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate(WIDE) <= 0


def test_text_is_large_and_targets_are_high_enough(open_page: Open, place: tuple[str | None, str]) -> None:
    page = open_page(*place).page
    page.evaluate(UNFOLD)
    small = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *, footer *')]
            .filter(each => each.innerText && parseFloat(getComputedStyle(each).fontSize) < 16)
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert small == []
    low = page.evaluate(
        """least => [...document.querySelectorAll('a:not(.skip), button, summary, select, input')]
            .filter(each => each.type !== 'hidden')
            .filter(each => getComputedStyle(each).display !== 'inline' || !each.closest('p'))
            .map(each => each.type === 'checkbox' ? each.closest('p') : each)
            .filter(each => each.getBoundingClientRect().height < least)
            .map(each => each.outerHTML.slice(0, 80))""",
        TARGET,
    )
    assert low == []


def test_text_in_the_picture_of_the_year_is_as_large_as_the_rest(open_page: Open) -> None:
    for width in (320, 360, 1280):
        page = open_page(FULL, "/portfolio", viewport={"width": width, "height": 740}).page
        scale = page.evaluate(
            "() => { const year = document.querySelector('svg.year');"
            " return year.getBoundingClientRect().width / year.viewBox.baseVal.width }"
        )
        size = page.evaluate(
            "() => parseFloat(getComputedStyle(document.querySelector('svg.year text')).fontSize)"
        )
        assert 14 <= scale * size <= 30, width


def test_pages_are_whole_without_javascript(open_page: Open, place: tuple[str | None, str]) -> None:
    with_it, without = open_page(*place), open_page(*place, java_script_enabled=False)
    words = re.sub(
        r"\d\d:\d\d|error id \w+", "", with_it.page.locator("main").inner_text(), flags=re.IGNORECASE
    )
    same = re.sub(
        r"\d\d:\d\d|error id \w+", "", without.page.locator("main").inner_text(), flags=re.IGNORECASE
    )
    assert words == same
    assert without.page.locator("script").count() == 0


def test_a_page_is_light(open_page: Open) -> None:
    """And it is made with few questions to the store: tests/http/test_portfolio_questions.py."""
    answer = open_page(FULL, "/portfolio").page.request.get("/portfolio")
    assert len(answer.body()) < LARGEST_PAGE


def test_no_title_says_whose_it_is(open_page: Open, place: tuple[str | None, str]) -> None:
    page = open_page(*place).page
    assert page.title() in {"Portfolio", "Why this level", "This link is no longer open"}


def test_every_level_opens_its_reasons(open_page: Open) -> None:
    page = open_page(FULL, "/portfolio").page
    links = page.locator("#competencies ~ ul .way a")
    assert links.count() >= 5
    name = links.last.inner_text()
    links.last.click()
    page.wait_for_url("**/portfolio/why?*")
    assert page.locator("h1").inner_text() == name
    assert "A level is reached when 2 of the last 3" in page.locator("main").inner_text()
    assert page.locator("ol.cards code").count() >= 2
    page.get_by_role("link", name="Back to the portfolio").click()
    page.wait_for_url("**/portfolio#competencies")


def test_the_table_behind_the_picture_holds_the_same_numbers(open_page: Open) -> None:
    page = open_page(FULL, "/portfolio").page
    page.evaluate(UNFOLD)
    table = page.get_by_role("table", name="Records by month and place")
    told = sum(int(text) for text in table.locator("td.number").all_inner_texts())
    assert page.locator("#year-desc").text_content().startswith(f"{told} records from ")
    dots = page.locator("svg.year circle").count()
    assert dots == len([one for one in table.locator("td.number").all_inner_texts() if one != "0"])


def test_the_timeline_is_filtered_and_turned_without_javascript(open_page: Open) -> None:
    page = open_page(FULL, "/portfolio", java_script_enabled=False).page
    page.get_by_label("What", exact=True).select_option("Tests and marks")
    page.get_by_label("Where", exact=True).select_option("Port Amaris Harbour School")
    page.get_by_role("button", name="Show").click()
    assert page.locator("#kind").input_value() == "marked"
    assert set(page.locator("section[aria-labelledby=timeline] h5").all_inner_texts()) == {
        "Port Amaris Harbour School"
    }
    page.goto("/portfolio")
    first = page.locator(".lines summary").all_inner_texts()
    page.get_by_role("link", name="Earlier").click()
    assert page.get_by_role("link", name="Later").is_visible()
    assert page.locator(".lines summary").all_inner_texts() != first


def test_a_person_makes_and_closes_a_link_by_keyboard_alone(open_page: Open, people: People) -> None:
    page = open_page(UNWILLING, "/portfolio", java_script_enabled=False).page
    _reach(page, "Make a link")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("For my aunt")
    _reach(page, "Make the link")
    page.keyboard.press("Enter")
    page.wait_for_url("**/portfolio/shares")
    link = page.get_by_label("The link").input_value()
    assert link.startswith(people.server.url) or "/portfolio/shared/" in link
    path = "/portfolio/shared/" + link.rpartition("/")[2]
    assert "Pike Saltmarsh" in open_page(None, path).page.locator("h1").inner_text()
    page.goto("/portfolio")
    _reach(page, "Close this link For my aunt")
    page.keyboard.press("Enter")
    page.wait_for_url("**/portfolio#may")
    assert "It is closed." in page.locator("main").inner_text()
    closed = open_page(None, path).page.locator("main").inner_text()
    assert "This link is no longer open" in closed
    assert "Pike" not in closed


def _reach(page: Page, name: str) -> None:
    """Go on by Tab, from the link to the content, until something of a name has the focus."""
    for _ in range(250):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if re.sub(r"\s+", " ", focused.text_content() or "").strip() == name:
            assert focused.evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_a_learner_agrees_and_takes_it_back(open_page: Open) -> None:
    page = open_page(UNWILLING, "/portfolio", java_script_enabled=False).page
    page.get_by_text("Let somebody see it").click()
    page.get_by_label("Who (the exact name)").fill("Port Amaris Harbour School")
    page.get_by_role("checkbox", name="awards").uncheck()
    page.get_by_role("checkbox", name="Amaris Tideworks").uncheck()
    page.get_by_role("button", name="Let them see it").click()
    page.wait_for_url("**/portfolio#may")
    card = page.locator("section[aria-labelledby=may] .card").first
    assert "records and competencies, for a transcript" in card.inner_text()
    assert "Tideworks" not in card.inner_text()
    card.get_by_role("button", name="Withdraw").click()
    assert "You withdrew this." in page.locator("section[aria-labelledby=may]").inner_text()


def test_a_printed_page_has_everything_but_what_is_pressed(open_page: Open) -> None:
    page = open_page(FULL, "/portfolio", viewport=PAPER).page
    page.emulate_media(media="print")
    assert page.locator("form").first.is_hidden()
    assert page.locator("#glance").is_visible()
    assert page.evaluate(WIDE) <= 0
