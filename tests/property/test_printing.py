"""Whatever people wrote, a transcript can be printed."""

import io

import pypdf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lrs.transcripts.document import Holder
from lrs.transcripts.pdf import render
from tests.unit.transcripts.documents import make_document


@settings(max_examples=25)
@given(st.text(max_size=40))
@example("".join(map(chr, range(0xA0, 0x250))))
@example("\u0301\u0301 \u200d \ufe0f \u0e31 \u094d")
@example("\U0010ffff\ud7ff\ufdd0\x7f\x85\xad\xa0")
def test_any_name_can_be_printed(name: str) -> None:
    document = make_document(Holder("abcdefghjkmn", name, "2009-04-05", on_roster=True), shifts=2)
    document["lines"][0]["course"]["title"] = name or "-"
    reader = pypdf.PdfReader(io.BytesIO(render(document)))
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith("Transcript of ")
