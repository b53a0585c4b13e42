"""Parameters of the portfolio's pages."""

from typing import NoReturn

from flask import request

from lrs.errors import InvalidParameter, Problem
from lrs.portfolios.timeline import KINDS, Filters
from lrs.web.params import read_params

_MOST_PAGES = 10_000


def read_filters() -> Filters:
    """Read what the timeline shall show.

    Raises:
        InvalidParameter: A parameter is unknown, or none of what it may be.
    """
    asked = read_params(request.args, {"kind", "place", "page"})
    kind, page = asked.get("kind", ""), asked.get("page") or "1"
    if kind and kind not in KINDS:
        _refuse("kind", f"kind must be one of {', '.join(KINDS)}.")
    if not page.isascii() or not page.isdecimal() or not 1 <= int(page) <= _MOST_PAGES:
        _refuse("page", f"page must be a number from 1 to {_MOST_PAGES}.")
    return Filters(kind, asked.get("place", ""), int(page))


def read_item() -> str:
    """Read which item is meant, by its identifier.

    Raises:
        InvalidParameter: It is missing.
    """
    item = read_params(request.args, {"item"}).get("item", "")
    if not item:
        _refuse("item", "item must name an item of a framework.")
    return item


def _refuse(name: str, message: str) -> NoReturn:
    raise InvalidParameter(message, [Problem(name, "parameter.value", message)])
