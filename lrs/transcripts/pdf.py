"""Prints a transcript: PDF/A-3a and PDF/UA-1, with the JSON attached, the same bytes each time.

Set by typst with the fonts that it carries; nothing is read from the machine or the network.

Spec: ISO 19005-3 (PDF/A-3a), ISO 14289-1 (PDF/UA-1)
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import typst

from lrs.errors import TooLarge
from lrs.transcripts.document import write_json
from lrs.transcripts.printing import BOX, map_texts, to_print

MOST_BYTES = 8_000_000
"""How long the JSON of a transcript may be that is printed."""

_SURE = frozenset(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x250)))) | frozenset("\u2013\u25a1")
"""Characters that are tried by no probe: all of them are in the fonts."""

MOST_PROBES = 64
"""How often the fonts are tried for one transcript; it takes milliseconds each time."""

_BLOCK = 128
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
    try:
        return _compile(_template(), inputs_for(document))
    except typst.TypstError:
        # Characters that can be set alone and not together, as marks that stand on nothing, end here.
        return _compile(_template(), inputs_for(document, boxed=True))


def _compile(template: bytes, inputs: dict[str, str]) -> bytes:
    return typst.compile(
        template,
        sys_inputs=inputs,
        format="pdf",
        pdf_standards=["a-3a", "ua-1"],
        ignore_system_fonts=True,
    )


def inputs_for(document: Mapping[str, Any], boxed: bool = False) -> dict[str, str]:
    """Prepare what the template reads.

    Args:
        document: The transcript.
        boxed: Whether every character beyond the European ones becomes a box, not only what the fonts lack.

    Raises:
        TooLarge: It is longer than anybody prints.
    """
    attached = write_json(document)
    if len(attached) > MOST_BYTES:
        raise TooLarge("This transcript is too long to print; take it as JSON.")
    printed = to_print(document, hashlib.sha256(attached).hexdigest())
    text = json.dumps(printed, ensure_ascii=False)
    lacking = frozenset(one for one in text if one not in _SURE) if boxed else _lacking(text)
    printed = map_texts(printed, lambda text: text.translate(dict.fromkeys(map(ord, lacking), BOX)))
    printed["boxed"] = bool(lacking)
    return {"data": json.dumps(printed, ensure_ascii=False), "attachment": attached.decode()}


@cache
def _template() -> bytes:
    return files("lrs.transcripts").joinpath("transcript.typ").read_bytes()


def _lacking(text: str) -> frozenset[str]:
    """Return the characters of a text that no bundled font has.

    Fonts cannot be asked, so they are tried: the characters of each block of 128 together, then halves
    of what cannot be set. After MOST_PROBES what is still in doubt counts as lacking.
    """
    blocks: dict[int, list[str]] = {}
    for one in sorted({one for one in text if one not in _SURE}):
        blocks.setdefault(ord(one) // _BLOCK, []).append(one)
    probes = _Probes()
    return frozenset(one for block in blocks.values() for one in probes.find_lacking("".join(block)))


class _Probes:
    """Tries characters, a limited number of times; what was tried before changes nothing."""

    def __init__(self) -> None:
        self._left = MOST_PROBES

    def find_lacking(self, characters: str) -> list[str]:
        """Halve the characters until those that cannot be set are alone."""
        if not self._left:
            return list(characters)
        self._left -= 1
        if _can_set(characters):
            return []
        if len(characters) == 1:
            return [characters]
        middle = len(characters) // 2
        return [*self.find_lacking(characters[:middle]), *self.find_lacking(characters[middle:])]


@lru_cache(maxsize=4096)
def _can_set(characters: str) -> bool:
    try:
        _compile(_PROBE, {"data": " ".join(characters)})
    except typst.TypstError:
        return False
    return True
