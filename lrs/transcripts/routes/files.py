"""A transcript as an answer: JSON or PDF."""

from collections.abc import Mapping
from typing import Any

from flask import Response, make_response

from lrs.transcripts.document import write_json

FORMATS = ("json", "pdf")
_TYPES = {"json": "application/json", "pdf": "application/pdf"}


def answer_with(document: Mapping[str, Any], form: str) -> Response:
    """Answer with a file; its name says nothing of the learner.

    Raises:
        TooLarge: It is longer than anybody prints.
    """
    answer = make_response(_bytes_of(document, form))
    answer.headers["Content-Type"] = _TYPES[form]
    answer.headers["Content-Disposition"] = f'attachment; filename="transcript.{form}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _bytes_of(document: Mapping[str, Any], form: str) -> bytes:
    if form == "json":
        return write_json(document)
    from lrs.transcripts.pdf import render  # noqa: PLC0415 - the typesetter is large; only a PDF needs it

    return render(document)
