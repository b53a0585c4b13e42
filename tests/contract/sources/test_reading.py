"""What becomes of a source's rows: stored, replaced, voided, rejected."""

import pytest

from lrs.errors import InvalidBody
from tests.contract.sources.museum import BO, CY, MIA, Museum


def test_twice_over_writes_nothing(museum: Museum) -> None:
    assert museum.send(MIA.format(1), BO.format(2)) == {"read": 2, "stored": 2}
    before = museum.log()
    assert museum.send(BO.format(2), MIA.format(1)) == {"read": 2, "already": 2}
    assert museum.log() == before == 2


def test_statements_are_the_sources_own(museum: Museum) -> None:
    museum.send(MIA.format(1))
    authority = museum.statements()[0]["authority"]
    assert authority["name"] == "workshops"
    assert "museum" not in authority["account"]["name"]


def test_a_changed_row_replaces_its_statement_and_a_change_back_stands_again(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(MIA.format("1,5"), BO.format(2)) == {"read": 2, "stored": 1, "already": 1, "voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H30M", "mailto:Bo@example.org": "PT2H"}
    for hours in ("1", "1,5", "1"):
        assert museum.send(MIA.format(hours), BO.format(2)) == {
            "read": 2,
            "stored": 1,
            "already": 1,
            "voided": 1,
        }
    assert museum.standing()["mailto:Mia@example.org"] == "PT1H"
    assert len(museum.standing()) == 2


def test_what_is_missing_is_voided_only_where_the_file_is_the_whole(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(BO.format(2)) == {"read": 1, "already": 1}
    assert museum.send(BO.format(2), full=True) == {"read": 1, "already": 1, "voided": 1}
    assert list(museum.standing()) == ["mailto:Bo@example.org"]
    assert museum.send(BO.format(2), MIA.format(1), full=True) == {"read": 2, "stored": 1, "already": 1}


def test_nothing_is_deleted_where_lines_could_not_be_read(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    assert museum.send(BO.format(2), '"Mia', full=True) == {"read": 2, "already": 1, "rejected": 1}
    assert "nothing was taken for deleted" in museum.last.run.reason
    with pytest.raises(InvalidBody):
        museum.send(full=True)
    assert len(museum.standing()) == 2


def test_a_row_that_is_not_wanted_any_more_is_voided_and_one_that_is_broken_stays(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    found = museum.send(MIA.format("x"), BO.format(2), skip={"Kind": ["Bo"]})
    assert found == {"read": 2, "rejected": 1, "kept_aside": 1, "voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H"}


def test_rejected_rows_are_kept_with_their_reasons_and_go_in_under_a_mended_mapping(museum: Museum) -> None:
    assert museum.send(MIA.format("1:75"), BO.format("abc"), CY.format(1)) == {
        "read": 3,
        "stored": 1,
        "rejected": 2,
    }
    run = museum.last.run.id
    first, second = museum.sources.rejected(museum.handle, run)
    assert first.place == "line 2"
    assert first.reason == "Line 2, Std: '1:75' is no number."
    assert first.content == {"lines": {"2": {
        "Datum": "03.05.2026", "Kind": "Mia", "E-Mail": "Mia@example.org", "Workshop": "Robots", "Std": "1:75"
    }}}  # fmt: skip
    assert second.problems[0]["path"] == "/lines/3/Std"
    assert museum.replay(run) == {"read": 2, "rejected": 2}
    assert len(museum.sources.rejected(museum.handle, run)) == 2
