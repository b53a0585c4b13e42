"""What the portfolio's templates say for tokens, days and identifiers. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime

from lrs.clock import from_datetime
from lrs.portfolios.reasons import voucher_words
from lrs.portfolios.words import listed, span
from lrs.web.moments import day_text, month_text

_KINDS = {"records": "records", "competencies": "competencies", "awards": "awards"}
_PURPOSES = {"transcript": "a transcript", "portfolio": "reading the portfolio"}
_GROUNDS = {"consent": "you agreed to it", "basis": "a law or contract allows it", "own": "its own records"}


def kind_words(kind: str) -> str:
    """Name a kind of what can be seen."""
    return _KINDS.get(kind, kind)


def purpose_words(purpose: str) -> str:
    """Say what something was seen for."""
    return _PURPOSES.get(purpose, purpose)


def ground_words(ground: str) -> str:
    """Say on what ground something was seen; the name of a legal basis stands behind a colon."""
    kind, _, name = ground.partition(":")
    return f"{_GROUNDS[kind]}: {name.strip()}" if name and kind in _GROUNDS else _GROUNDS.get(kind, ground)


def day_words(day: str) -> str:
    """Write a day that is kept as ``2026-11-21`` in words."""
    return day_text(_instant(day))


def month_words(month: str) -> str:
    """Write a month that is kept as ``2026-11`` in words."""
    return month_text(_instant(f"{month}-01"))


def identifier_words(identifier: str) -> str:
    """Say what an identifier is: an address, the sum of one, an account."""
    kind, _, rest = identifier.partition(" ")
    if kind == "mbox":
        return f"the e-mail address {rest.removeprefix('mailto:')}"
    if kind == "mbox_sha1sum":
        return f"an e-mail address kept as a sum that nobody can turn back: {rest[:8]}…"
    if kind == "account":
        home, _, name = rest.partition(" ")
        return f"the account {name} at {home}"
    return f"the OpenID {rest}"


def _instant(day: str) -> int:
    return from_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC))


FILTERS: dict[str, Callable[..., str]] = {
    "day_words": day_words,
    "ground_words": ground_words,
    "identifier_words": identifier_words,
    "kind_words": kind_words,
    "listed": listed,
    "month_words": month_words,
    "purpose_words": purpose_words,
    "span": span,
    "voucher_words": voucher_words,
}
"""By the names that templates call them."""
