"""A page opened in the browser, and what each is asked: the fold, axe, the keyboard, a narrow screen."""

from playwright.sync_api import BrowserContext, Page

TARGET = 44
"""Pixels that a finger needs."""

WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNFOLD = "document.querySelectorAll('details').forEach(each => { each.open = true })"


class Opened:
    """A page with what it said and asked for on the way."""

    def __init__(self, context: BrowserContext, path: str) -> None:
        self.page = context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on(
            "console", lambda message: self.errors.append(message.text) if is_error(message) else None
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path)


def is_error(message: object) -> bool:
    """Chromium reports a document's own 401 or 404 in the console; that status is the page's answer."""
    text = message.text  # type: ignore[attr-defined]
    return message.type in {"error", "warning"} and "Failed to load resource" not in text  # type: ignore[attr-defined]


def bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text().strip() == name:
            assert page.locator(":focus").evaluate("each => getComputedStyle(each).outlineStyle") == "solid"
            return
    raise AssertionError(f"{name} is not reached by Tab")


def violations(page: Page, axe: str) -> list[tuple[str, list[str]]]:
    """Have axe judge a page with everything unfolded; give each rule's name with the first places."""
    page.evaluate(UNFOLD)
    page.evaluate(axe)
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
