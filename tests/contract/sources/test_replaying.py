"""Replaying a run, and undoing one."""

from tests.contract.sources.museum import BO, CY, MIA, Museum


def test_replaying_stores_what_the_mended_mapping_reads_and_lists_it_no_more(museum: Museum) -> None:
    strict = {"verb": {"column": "Kind", "table": {"Cy": "http://adlnet.gov/expapi/verbs/attended"}}}
    assert museum.send(MIA.format(1), CY.format(1), **strict) == {"read": 2, "stored": 1, "rejected": 1}
    run = museum.last.run.id
    assert museum.replay(run, verb="http://adlnet.gov/expapi/verbs/attended") == {"read": 1, "stored": 1}
    assert museum.sources.rejected(museum.handle, run) == []
    assert museum.replay(run) == {}
    assert museum.send(MIA.format(1), CY.format(1)) == {"read": 2, "already": 2}


def test_replaying_does_not_bring_back_what_a_later_file_has_changed(museum: Museum) -> None:
    strict = {"verb": {"column": "Kind", "table": {"Cy": "http://adlnet.gov/expapi/verbs/attended"}}}
    museum.send(MIA.format(1), **strict)
    run = museum.last.run.id
    museum.send(MIA.format(3))
    assert museum.replay(run) == {}
    assert museum.standing() == {"mailto:Mia@example.org": "PT3H"}


def test_undoing_voids_what_a_run_stored_and_brings_back_what_it_replaced(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    museum.send(MIA.format(3), BO.format(2), CY.format(1))
    run = museum.last.run.id
    assert museum.undo(run) == {"stored": 1, "voided": 2}
    assert museum.standing() == {"mailto:Mia@example.org": "PT1H", "mailto:Bo@example.org": "PT2H"}
    assert museum.undo(run) == {}
    assert museum.send(MIA.format(1), BO.format(2)) == {"read": 2, "already": 2}
    assert museum.send(MIA.format(3), BO.format(2), CY.format(1))["stored"] == 2
    assert len(museum.standing()) == 3


def test_undoing_an_older_run_leaves_what_a_later_one_changed(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    first = museum.last.run.id
    museum.send(MIA.format(3), BO.format(2))
    assert museum.undo(first) == {"voided": 1}
    assert museum.standing() == {"mailto:Mia@example.org": "PT3H"}


def test_undoing_brings_back_what_was_taken_for_deleted(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format(2))
    museum.send(BO.format(2), full=True)
    assert museum.undo(museum.last.run.id) == {"stored": 1}
    assert len(museum.standing()) == 2
