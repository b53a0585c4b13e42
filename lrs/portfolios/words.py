"""What was recorded, in words that people use: verbs, activities, vouchers, spans of time. Pure.

IRIs are shown only where nothing else is known, and then their last part.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from lrs.learners.acts import Act, Voucher

Languages = Sequence[str]

_MINUTE = 60
_HOUR = 60 * _MINUTE
_LONG = 10 * _HOUR
_LONGEST_TITLE = 160
_GENTLE = {
    "http://adlnet.gov/expapi/verbs/failed": "tried",
    "http://adlnet.gov/expapi/verbs/experienced": "explored",
    "http://id.tincanapi.com/verb/skipped": "left for later",
}
"""Verbs whose display is blunt, or says little to people."""

_INTERACTION = "http://adlnet.gov/expapi/activities/cmi.interaction"


def choose(texts: Mapping[str, str], languages: Languages = ("en",)) -> str:
    """Choose a text from a language map: the first language that it has, else English, else any.

    Args:
        texts: Tag to text.
        languages: What the reader asks for, best first; ``en`` finds ``en-GB`` and the other way round.
    """
    for wanted in (*languages, "en"):
        for tag, text in texts.items():
            if tag.lower() == wanted.lower():
                return text
        for tag, text in texts.items():
            if tag.lower().partition("-")[0] == wanted.lower().partition("-")[0]:
                return text
    return next(iter(texts.values()), "")


def tail(iri: str) -> str:
    """Give the last part of an IRI as words: ``…/workshops/robot-fish`` is ``robot fish``."""
    last = unquote(iri.rstrip("/#").rpartition("/")[2].rpartition("#")[2]).rpartition(":")[2]
    return re.sub(r"[-_+]+", " ", last).strip() or iri


def verb_of(act: Act, languages: Languages = ("en",)) -> str:
    """Name what was done, with a capital: ``Completed``."""
    text = _GENTLE.get(act.verb) or choose(act.verb_name, languages) or tail(act.verb)
    return text[:1].upper() + text[1:]


def what_of(act: Act, languages: Languages = ("en",)) -> str:
    """Name what it was done with; empty where it was nothing that has a name of its own."""
    text = choose(act.object_name, languages)
    if not text and act.object:
        text = "a question" if is_answer(act) else tail(act.object)
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "…"


def is_answer(act: Act) -> bool:
    """Tell whether its narrative is the answer to a question of a test rather than somebody's words."""
    return act.type == _INTERACTION


def score_of(act: Act) -> str:
    """Write a score as it was given: ``34 of 40``; empty where there is none."""
    if act.raw is not None:
        return f"{plain(act.raw)} of {plain(act.max)}" if act.max is not None else f"{plain(act.raw)} points"
    if act.scaled is not None:
        return f"{plain(act.scaled)} of 1"
    return ""


def plain(number: str) -> str:
    """Write a decimal without zeros behind it: ``34.0`` is ``34``."""
    return number.rstrip("0").rstrip(".") if "." in number and "e" not in number.lower() else number


def vouched(voucher: Voucher) -> str:
    """Say who stands for a record."""
    name = voucher.name
    if voucher.kind == "machine":
        return f"recorded by {name}" if name else "recorded by a system"
    if voucher.kind == "learner":
        return "in the learner's own words"
    whom = {"teacher": "a teacher", "accreditor": "an outside accreditor", "employer": "an employer"}
    unnamed = whom.get(voucher.kind, f"a {voucher.kind}")
    return f"confirmed by {name} ({unnamed.partition(' ')[2]})" if name else f"confirmed by {unnamed}"


def span(seconds: int) -> str:
    """Write a span of time: ``45 minutes``, ``1 hour 20 minutes``, ``42 hours``."""
    if seconds < _MINUTE:
        return "under a minute"
    hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
    if seconds >= _LONG or not minutes:
        hours, minutes = (seconds + _HOUR // 2) // _HOUR if seconds >= _LONG else hours, 0
    parts = [count(hours, "hour")] * bool(hours) + [count(minutes, "minute")] * bool(minutes)
    return " ".join(parts)


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 step``, ``12 steps``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 4) -> str:
    """Write names in a row: ``A, B and C``; what is beyond ``most`` is counted."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
