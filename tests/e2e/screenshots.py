"""Pictures of every page at three widths, light, dark and as printed: ``make screenshots``.

They are for a person to look at before a page is called done; nothing compares them.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.browser import ROOT, Missing, open_browser, sign_in
from tests.e2e.people import FULL, STATES, People, open_people
from tests.e2e.registrars import Registrar, open_registrar
from tests.e2e.scenes import EMPTY, GOOD, MEND, Scenes, attestation, open_scenes
from tests.transcripts import SCHOOL

FOLDER = ROOT / ".screenshots"
NARROW = 360
WIDTHS = {NARROW: 740, 768: 1024, 1280: 900}


def main() -> int:
    """Take all pictures; say where they lie."""
    FOLDER.mkdir(exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
            with open_scenes(Path(folder)) as scenes:
                _take_all(browser, scenes)
            with open_people(Path(folder, "people")) as people:
                _take_people(browser, people)
            with open_registrar(Path(folder, "registrar")) as registrar:
                _take_registrar(browser, registrar)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{len(list(FOLDER.glob('*.png')))} pictures lie in {FOLDER}")
    return 0


def _take_all(browser: Browser, scenes: Scenes) -> None:
    link = scenes.link(MEND)
    open_to_all = {
        "/": "start",
        link: "sign-in",
        "/arrivals": "not-signed-in",
        "/nothing": "not-found",
        "/api/docs": "api-docs",
        attestation(scenes.server): "attest",
        "/attest/done": "attest-done",
        "/attest/unknown": "attest-no-longer-good",
    }
    _take_pages(browser.new_context(base_url=scenes.server.url), open_to_all)
    for name, institution in (("mend", MEND), ("good", GOOD), ("empty", EMPTY)):
        context = browser.new_context(base_url=scenes.server.url)
        page = context.new_page()
        sign_in(page, scenes.link(institution))
        kinds = ("all", "one")
        paths = dict(
            zip(scenes.pages(institution), (f"arrivals-{kind}-{name}" for kind in kinds), strict=True)
        )
        _take_pages(context, paths)


def _take_people(browser: Browser, people: People) -> None:
    """Take learners' own pages in every state, why a level is what it is, and what a link opens."""
    for state in STATES:
        context = browser.new_context(base_url=people.server.url)
        page = context.new_page()
        page.goto(people.sign_in_link(state))
        page.get_by_role("button").click()
        page.wait_for_url("**/portfolio")
        paths = {"/portfolio": f"portfolio-{state}"}
        reasons = page.locator(".way a")
        if state == FULL and reasons.count():
            paths[str(reasons.last.get_attribute("href"))] = "portfolio-why"
        _take_pages(context, paths)
    paths = {people.share_link(FULL): "portfolio-shared", "/portfolio/shared/unknown": "portfolio-closed"}
    _take_pages(browser.new_context(base_url=people.server.url), paths)


def _take_registrar(browser: Browser, registrar: Registrar) -> None:
    """Take the registrar's pages in every state, and what a learner's link opens."""
    context = browser.new_context(base_url=registrar.server.url)
    page = context.new_page()
    page.goto(registrar.link(SCHOOL))
    page.get_by_role("button").click()
    page.wait_for_url("**/transcripts")
    paths = {**registrar.states, **registrar.places}
    _take_pages(context, {path: f"transcripts-{name.replace(' ', '-')}" for name, path in paths.items()})
    _take_pages(browser.new_context(base_url=registrar.server.url), {registrar.shared: "transcript-shared"})


def _take_pages(context: BrowserContext, paths: dict[str, str]) -> None:
    page = context.new_page()
    for path, name in paths.items():
        page.goto(path)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for look in ("light", "dark", "print"):
                _take(page, name, look)
    context.close()


def _take(page: Page, name: str, look: str) -> None:
    page.emulate_media(
        media="print" if look == "print" else "screen", color_scheme="dark" if look == "dark" else "light"
    )
    width = page.evaluate("innerWidth")
    page.screenshot(path=FOLDER / f"{name}-{width}-{look}.png", full_page=True)
    if width == NARROW and look == "light":
        page.screenshot(path=FOLDER / f"{name}-{width}-fold.png")


if __name__ == "__main__":
    sys.exit(main())
