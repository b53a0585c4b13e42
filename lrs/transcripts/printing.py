"""What a printed transcript says, as texts that the page only has to set. Pure.

Everything that people wrote is made printable here: control characters and those that turn the
direction of the text become spaces, and what the fonts lack becomes a box.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

BOX = "\u25a1"
MOST_STATEMENTS = 500
"""How many statements are printed; the attached file has all of them."""

MOST_CHARACTERS = 2_000
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CENT = Decimal("0.01")
_HOUR = 60
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"

Json = Mapping[str, Any]


def printable(text: str) -> str:
    """Take out what cannot stand in a line, and cut what is far too long."""
    clean = "".join(
        one if one in _JOINERS or unicodedata.category(one) not in _UNPRINTABLE else " "
        for one in text[:MOST_CHARACTERS]
    )
    return " ".join(clean.split())


def map_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Change every text within a value; names of members stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: map_texts(one, change) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [map_texts(one, change) for one in value]
    return value


def to_print(document: Json, file_hash: str) -> dict[str, Any]:
    """Prepare the texts of a printed transcript.

    Args:
        document: What ``to_document`` made.
        file_hash: SHA-256 of the attached file, in hex.
    """
    references = {one["id"]: one["reference"] for one in document["statements"]}
    shown = document["statements"][:MOST_STATEMENTS]
    school, learner, totals = document["school"], document["learner"], document["totals"]
    made = {
        "paper": document["crosswalk"]["paper"],
        "date": [int(part) for part in document["asOf"].split("-")],
        "asOf": day_words(document["asOf"]),
        "school": {
            "name": school["name"],
            "lines": [
                *school["address"],
                *([school["contact"]] if school["contact"] else []),
                *(f"{kind} {code}" for kind, code in school["codes"].items()),
            ],
        },
        "learner": {
            "name": learner["name"] or "Name not on the school's roster",
            "born": day_words(learner["birthDate"]) if learner["birthDate"] else "not on the school's roster",
            "id": learner["id"],
        },
        "crosswalk": f"{document['crosswalk']['title']}, version {document['crosswalk']['version']}",
        "unit": document["crosswalk"]["unit"],
        "courses": [_course(one, references) for one in document["courses"]],
        "lines": [_line(one, references) for one in document["lines"]],
        "untranslated": [_left_out(one) for one in document["untranslated"]],
        "totals": [
            ("Courses of this school", credit(totals["courses"])),
            ("Translated learning", credit(totals["translated"])),
            ("All credits", credit(totals["credits"])),
        ],
        "subjects": [
            (one["subject"] or "No subject named", credit(one["credits"])) for one in totals["bySubject"]
        ],
        "keys": [_key(one) for one in document["gradingKey"]],
        "sources": [_source(one) for one in document["sources"]],
        "statements": [_statement(one) for one in shown],
        "moreStatements": len(document["statements"]) - len(shown),
        "hash": file_hash,
    }
    printed: dict[str, Any] = map_texts(made, printable)
    return printed


def credit(text: str) -> str:
    """Write credits with two decimals, or more where there are more."""
    amount = Decimal(text)
    exact = amount.quantize(_CENT)
    return str(exact if exact == amount else amount)


def day_words(day: str) -> str:
    """Write a day so that no reader takes the month for the day: ``21 Nov 2026``."""
    parts = day.split("-")
    if len(parts) != len(("year", "month", "day")) or not all(part.isdigit() for part in parts):
        return day
    year, month, number = (int(part) for part in parts)
    return f"{number} {_MONTHS[month - 1]} {year}" if 1 <= month <= len(_MONTHS) else day


def ranges(references: Iterable[str]) -> str:
    """Write references shortly: ``E9`` alone, ``E1`` to ``E4`` with a dash."""
    numbers = sorted(int(one[1:]) for one in references)
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"E{first}" if first == last else f"E{first}\u2013E{last}" for first, last in runs)


def voucher_words(voucher: Json) -> str:
    """Name who stands behind a record."""
    kind, name = voucher["kind"], voucher["name"]
    if kind == "machine":
        return f"recorded by {name}" if name else "recorded automatically"
    if kind == "learner":
        return "the learner's own account"
    return f"{name} ({kind})" if name else f"a {kind}" if kind != "employer" else "an employer"


def minutes_words(minutes: int | None) -> str:
    """Write a time shortly; empty where there is none."""
    if minutes is None:
        return ""
    hours, rest = divmod(minutes, _HOUR)
    if not hours:
        return f"{rest} min"
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def _term(one: Json) -> str:
    return f"{one['schoolYear']} {one['session']}".strip()


def _titled(course: Json) -> dict[str, str]:
    detail = ", ".join(part for part in (course["code"], course["subject"]) if part)
    return {"title": course["title"], "detail": detail}


def _course(one: Json, references: Mapping[str, str]) -> dict[str, Any]:
    return {
        "term": _term(one),
        "course": _titled(one["course"]),
        "basis": one["gradeBasis"],
        "grade": one["grade"] or "\u2013",
        "attempted": credit(one["creditsAttempted"]),
        "credits": credit(one["credits"]),
        "evidence": ranges(references[id_] for id_ in one["evidence"]),
    }


def _line(one: Json, references: Mapping[str, str]) -> dict[str, Any]:
    vouchers = dict.fromkeys(voucher_words(voucher) for voucher in one["vouchers"])
    return {
        "term": _term(one),
        "course": _titled(one["course"]),
        "what": one["what"],
        "period": _period(one["from"], one["to"]),
        "vouchers": "; ".join(list(vouchers)[:6]) + ("; and others" if len(vouchers) > len("abcdef") else ""),
        "grade": one["grade"] or "\u2013",
        "basis": one["gradeBasis"],
        "credits": credit(one["credits"]),
        "evidence": ranges(references[id_] for id_ in one["evidence"]),
    }


def _period(first: str, last: str) -> str:
    if not first:
        return ""
    return day_words(first) if first == last else f"{day_words(first)} to {day_words(last)}"


def _left_out(one: Json) -> dict[str, str]:
    if "course" in one:
        return {"what": one["course"]["title"], "why": one["why"]}
    if one["kind"] == "not-shared":
        return {"what": one["institution"], "why": one["why"]}
    count = f"{one['records']:,} record{'' if one['records'] == 1 else 's'}"
    time = f", {minutes_words(one['minutes'])}" if one["minutes"] else ""
    where = f" at {one['institution']}" if one["institution"] else ""
    return {"what": one["title"] or "No activity named", "why": f"{count}{time}{where}. {one['why']}"}


def _key(one: Json) -> dict[str, Any]:
    by = {"level": "the mean level", "score": "the mean score (0 to 1)", "success": "the result"}[one["by"]]
    return {
        "for": f"{', '.join(one['courses'])}: by {by}",
        "grades": [
            {
                "grade": row["grade"],
                "from": f"from {row['from']}" if row["from"] else "",
                "means": row["means"] + ("" if row["earns"] else " (no credit)"),
            }
            for row in one["grades"]
        ],
    }


def _source(one: Json) -> dict[str, str]:
    return {
        "institution": one["institution"],
        "kinds": ", ".join(one["kinds"]),
        "grounds": "; ".join(one["grounds"]),
    }


def _statement(one: Json) -> dict[str, str]:
    facts = [minutes_words(one["minutes"]), f"score {one['score']}" if one["score"] else ""]
    return {
        "reference": one["reference"],
        "day": day_words(one["day"]),
        "title": one["title"] or "Not shown to this school",
        "facts": ", ".join(fact for fact in facts if fact),
        "where": one["institution"],
        "voucher": voucher_words(one["voucher"]),
        "id": one["id"],
    }
