"""What a statement says of its attachments; the attachments themselves are not looked at here.

Spec: xAPI 1.0.3 Data 2.4.11; xAPI 2.0 4.2.2.6
"""

import re
from typing import Any

from lrs.xapi.checks import (
    Findings,
    Key,
    Shape,
    Trail,
    array_check,
    check_iri,
    check_language_map,
    shape_check,
    text_check,
)

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - characters of a token in RFC 9110
_VALUE = rf'(?:{_TOKEN}|"(?:[\t !#-\[\]-~]|\\[\t -~])*")'
# Blanks stand where only one reading of them is possible: with two, a long row of them takes hours to refuse.
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;(?:[ \t]*{_TOKEN}={_VALUE})?)*(?:(?<=;)[ \t]*)?")
_SHA2 = re.compile(r"(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})")


def is_media_type(text: str) -> bool:
    """Tell whether a text is a media type, which may be written into a header as it is."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def _check_length(found: Findings, value: Any, trail: Trail, key: Key) -> None:
    if type(value) is not int:
        found.add_wrong_type(value, trail, key, "a whole number, written without a fraction")
    elif value < 0:
        found.add(trail, key, "attachment.length", f"{value} is negative; give the number of bytes.")


_check_attachment = shape_check(
    Shape(
        "an attachment",
        {
            "usageType": check_iri,
            "display": check_language_map,
            "description": check_language_map,
            "contentType": text_check(
                is_media_type,
                "attachment.content-type",
                "this is not a media type such as text/plain or application/pdf.",
                quoted=True,
            ),
            "length": _check_length,
            "sha2": text_check(
                _SHA2.fullmatch,
                "attachment.sha2",
                "This must be a SHA-2 sum (224, 256, 384 or 512 bits) in hex digits.",
            ),
            "fileUrl": check_iri,
        },
        ("usageType", "display", "contentType", "length", "sha2"),
        "attachment.required",
    )
)

check_attachments = array_check(_check_attachment)
"""Checks the list of attachments of a statement or SubStatement.

Spec: xAPI 1.0.3 Data 2.4.11
"""
