"""Prints a transcript: PDF/A-3a and PDF/UA-1, with the JSON attached, the same bytes each time.

Set by typst with the fonts that it carries; nothing is read from the machine or the network.

Spec: ISO 19005-3 (PDF/A-3a), ISO 14289-1 (PDF/UA-1)
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import typst

from lrs.errors import TooLarge
from lrs.transcripts.document import write_json
from lrs.transcripts.printing import BOX, map_texts, to_print

MOST_BYTES = 8_000_000
"""How long the JSON of a transcript may be that is printed."""

_SAFE_BELOW = "\u0250"
_PROBE = b"""#set document(title: "Probe")
#set text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"), lang: "en")
#sys.inputs.data
"""


def render(document: Mapping[str, Any]) -> bytes:
    """Print a transcript.

    Args:
        document: What ``lrs.transcripts.document.to_document`` made.

    Raises:
        TooLarge: It is longer than anybody prints.
    """
    return _compile(_template(), inputs_for(document))


def _compile(template: bytes, inputs: dict[str, str]) -> bytes:
    return typst.compile(
        template,
        sys_inputs=inputs,
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
    )


def inputs_for(document: Mapping[str, Any]) -> dict[str, str]:
    """Prepare what the template reads.

    Raises:
        TooLarge: It is longer than anybody prints.
    """
    attached = write_json(document)
    if len(attached) > MOST_BYTES:
        raise TooLarge("This transcript is too long to print; take it as JSON.")
    printed = to_print(document, hashlib.sha256(attached).hexdigest())
    lacking = _lacking(json.dumps(printed, ensure_ascii=False))
    printed = map_texts(printed, lambda text: text.translate(dict.fromkeys(map(ord, lacking), BOX)))
    printed["boxed"] = bool(lacking)
    return {"data": json.dumps(printed, ensure_ascii=False), "attachment": attached.decode()}


@cache
def _template() -> bytes:
    return files("lrs.transcripts").joinpath("transcript.typ").read_bytes()


def _lacking(text: str) -> frozenset[str]:
    """Return the characters of a text that no bundled font has."""
    doubtful = "".join(sorted({one for one in text if one >= _SAFE_BELOW}))
    return frozenset(_find_lacking(doubtful)) if doubtful else frozenset()


def _find_lacking(characters: str) -> Iterable[str]:
    """Halve the characters until those that cannot be set are alone."""
    if _can_set(characters):
        return ""
    if len(characters) == 1:
        return characters
    middle = len(characters) // 2
    return [*_find_lacking(characters[:middle]), *_find_lacking(characters[middle:])]


def _can_set(characters: str) -> bool:
    try:
        _compile(_PROBE, {"data": " ".join(characters)})
    except typst.TypstError:
        return False
    return True
