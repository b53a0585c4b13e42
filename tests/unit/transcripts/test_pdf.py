"""The printed transcript, read back by a library that did not write it, and by a judge."""

import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pypdf
import pytest

from lrs.errors import TooLarge
from lrs.transcripts import pdf
from lrs.transcripts.document import Holder, write_json
from lrs.transcripts.printing import credit, day_words, minutes_words, printable, ranges, voucher_words
from tests.unit.transcripts.documents import OTHER_COURSE, make_document
from tests.verapdf.judge import judge, missing_tool


def read(document: dict[str, Any]) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(pdf.render(document)))
    return reader, " ".join("\n".join(page.extract_text() for page in reader.pages).split())


def named(name: str) -> dict[str, Any]:
    return make_document(Holder("abcdefghjkmn", name, "2009-04-05", on_roster=True))


def test_everything_that_counts_is_printed() -> None:
    _, text = read(make_document())
    for said in (
        "Hill School",
        "CEEB 000000",
        "Mira Sample",
        "5 Apr 2009",
        "22 Nov 2026",
        "Hill School diploma, version 3",
        "Mathematics",
        "Work-based learning",
        "WBL 1, Career",
        "7 h 55 min in 5 records, at Quayside Works.",
        "Robot fish workshop",
        "Ona Vale (mentor)",
        "E3\u2013E7",
        "What could not be translated",
        "still to do: Draw a plan and Show it",
        "consent until 1 July 2027",
        "00000000-0000-4000-8000-000000000102",
        "How to verify this document",
        "Page 1 of 2",
    ):
        assert said in text, said


def test_the_json_is_attached_and_its_hash_is_printed() -> None:
    document = make_document()
    reader, text = read(document)
    (name, contents), *others = reader.attachments.items()
    assert (name, others) == ("transcript.json", [])
    assert json.loads(contents[0]) == document
    assert contents[0] == write_json(document)
    assert hashlib.sha256(contents[0]).hexdigest() in text.replace(" ", "")
    specs = reader.trailer["/Root"]["/AF"]
    assert [spec.get_object()["/AFRelationship"] for spec in specs] == ["/Source"]
    assert specs[0].get_object()["/Desc"] == "This transcript as JSON"


def test_title_language_and_date_are_set() -> None:
    reader, _ = read(make_document())
    assert reader.metadata is not None
    assert reader.metadata.title == "Transcript of Mira Sample"
    assert reader.metadata.author == "Hill School"
    assert reader.metadata["/CreationDate"].startswith("D:20261122")
    assert reader.trailer["/Root"]["/Lang"].startswith("en")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"].value


def test_the_bytes_are_the_same_each_time() -> None:
    assert pdf.render(make_document()) == pdf.render(make_document())


@pytest.mark.parametrize(
    "name",
    [
        '#read("/etc/passwd")',
        "*bold* $x$ #let y = 1; \\u{41} // no comment [x] <label> @ref",
        '"}], "paper": "a0',
        "= Heading",
        "- list\n\n+ more",
    ],
)
def test_what_people_wrote_is_printed_as_it_stands(name: str) -> None:
    reader, text = read(named(name))
    assert " ".join(name.split()) in text
    assert reader.metadata is not None
    assert reader.metadata.title == f"Transcript of {' '.join(name.split())}"


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Łucja Фёдорова Ελένη", "Łucja Фёдорова Ελένη"),
        ("漢字 Wang", "□□ Wang"),
        ("Mira 😀", "Mira □"),
        ("a\x07b\x00c\u202ed\u2028e", "a b c d e"),
    ],
)
def test_characters_that_cannot_be_printed_become_boxes_or_spaces(name: str, printed: str) -> None:
    reader, text = read(named(name))
    assert f"Transcript of {printed}" in text
    assert ("A box (□) stands for" in text) is ("□" in printed)
    assert json.loads(reader.attachments["transcript.json"][0])["learner"]["name"] == name


def test_a_long_list_of_evidence_is_cut_and_says_so() -> None:
    _, text = read(make_document(shifts=700))
    assert "And 203 more; the attached file lists all of them." in text


def test_a_transcript_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_BYTES", 100)
    with pytest.raises(TooLarge):
        pdf.render(make_document())


@pytest.mark.parametrize("paper", ["a4", "us-letter"])
def test_the_paper_is_the_crosswalks(paper: str) -> None:
    reader, _ = read(make_document(paper=paper))
    assert round(float(reader.pages[0].mediabox.width)) == {"a4": 595, "us-letter": 612}[paper]


def test_an_empty_transcript_can_be_printed() -> None:
    _, text = read(make_document(shifts=0, rules=None, courses=[OTHER_COURSE]))
    assert "Nothing has led to a course or a credit yet." in text


@pytest.mark.clients
@pytest.mark.timeout(400)
def test_a_judge_finds_it_archivable_and_accessible(tmp_path: Path) -> None:
    missing = missing_tool()
    if missing and os.environ.get("LRS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"LRS_TEST_REQUIRE_ALL=1, but {missing}")
    if missing:
        pytest.skip(f"{missing}: veraPDF cannot be asked")
    documents = [
        make_document(),
        named("漢字 Łucja Фёдорова"),
        make_document(shifts=600),
        make_document(shifts=0, rules=None, courses=[OTHER_COURSE]),
    ]
    files = [tmp_path / f"{number}.pdf" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_bytes(pdf.render(document))
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(files[0].read_bytes().replace(b"/Marked true", b"/Morked true"))
    for flavour in ("3a", "ua1"):
        good, _, bad = judge(flavour, *files, broken).partition(f"{flavour} broken")
        assert good == f"{flavour} compliant\n" * len(files)
        assert bad


# Small texts


@pytest.mark.parametrize(("text", "shown"), [("0.5", "0.50"), ("1", "1.00"), ("0.125", "0.125")])
def test_credits_have_two_decimals_or_as_many_as_they_need(text: str, shown: str) -> None:
    assert credit(text) == shown


@pytest.mark.parametrize(
    ("day", "words"),
    [("2026-11-22", "22 Nov 2026"), ("2026-13-01", "2026-13-01"), ("last May", "last May")],
)
def test_a_day_is_written_so_that_none_mistakes_the_month(day: str, words: str) -> None:
    assert day_words(day) == words


@pytest.mark.parametrize(
    ("references", "text"),
    [
        ([], ""),
        (["E3"], "E3"),
        (["E10", "E2", "E1", "E3"], "E1\u2013E3, E10"),
    ],
)
def test_references_are_written_shortly(references: list[str], text: str) -> None:
    assert ranges(references) == text


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("machine", "Door", "recorded by Door"),
        ("machine", "", "recorded automatically"),
        ("learner", "Mira", "the learner's own account"),
        ("mentor", "Ona", "Ona (mentor)"),
        ("mentor", "", "a mentor"),
        ("employer", "", "an employer"),
    ],
)
def test_vouchers_are_named_in_words(kind: str, name: str, words: str) -> None:
    assert voucher_words({"kind": kind, "name": name}) == words


@pytest.mark.parametrize(
    ("minutes", "words"), [(None, ""), (0, "0 min"), (59, "59 min"), (60, "1 h"), (90, "1 h 30 min")]
)
def test_minutes_are_written_in_hours(minutes: int | None, words: str) -> None:
    assert minutes_words(minutes) == words


def test_joiners_stay_in_words() -> None:
    assert printable("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"


def test_a_text_of_a_thousand_characters_that_no_font_has_is_not_tried_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []

    def can_set(characters: str) -> bool:
        tried.append(characters)
        return all(ord(one) < 0x4E00 for one in characters)

    monkeypatch.setattr(pdf, "_can_set", can_set)
    text = "Ελένη Фёдорова " + "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))
    assert len(pdf._lacking(text)) == 1000
    assert len(tried) == pdf.MOST_PROBES
