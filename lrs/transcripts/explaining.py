"""Why a line is on a transcript, or is not: in words and as JSON. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from lrs.errors import NotFound
from lrs.transcripts.printing import day_words, minutes_words, voucher_words

Json = Mapping[str, Any]


def explain_line(document: Json, line_id: str) -> tuple[list[str], dict[str, Any]]:
    """Explain a line of a transcript.

    Args:
        document: The transcript.
        line_id: The line's id, or that of a rule that gave no line.

    Raises:
        NotFound: The transcript speaks of no such line.
    """
    crosswalk = document["crosswalk"]
    found = [one for one in (*document["courses"], *document["lines"]) if one["id"] == line_id]
    gaps = [one for one in document["untranslated"] if one.get("id") == line_id]
    if not found and not gaps:
        raise NotFound(
            f"The transcript by {crosswalk['name']} has no line {line_id}, and nothing was begun for one."
        )
    statements = [one for one in document["statements"] if line_id in one["lines"]]
    shown = {
        "crosswalk": crosswalk["name"],
        "version": crosswalk["version"],
        "line": found[0] if found else None,
        "untranslated": gaps,
        "statements": statements,
    }
    return _words(document, found, gaps, statements), shown


def _words(
    document: Json, found: Sequence[Json], gaps: Sequence[Json], statements: Sequence[Json]
) -> list[str]:
    crosswalk = f"{document['crosswalk']['name']}, version {document['crosswalk']['version']}"
    lines = []
    for one in found:
        grade = f", grade {one['grade']}" if one["grade"] else ""
        basis = f" ({one['gradeBasis']})" if one["gradeBasis"] else ""
        what = f" {one['what']}" if "what" in one else ""
        lines.append(f"{one['course']['title']}: {one['credits']} credits{grade}{basis}.{what}")
        rule = one.get("rule", "The school's own result for this course.")
        lines.append(f"Rule {one['id']} of {crosswalk}: {rule}")
    lines += [f"{one['course']['title']} is not on the transcript: {one['why']}" for one in gaps]
    return lines + [f"  {_statement(one)}" for one in statements]


def _statement(one: Json) -> str:
    facts = [
        day_words(one["day"]),
        one["title"] or "what it was is not shared",
        minutes_words(one["minutes"]),
        f"score {one['score']}" if one["score"] else "",
        f"kept by {one['institution']}",
        voucher_words(one["voucher"]),
        "; ".join(one["grounds"]),
        one["id"],
    ]
    return ", ".join(fact for fact in facts if fact)
