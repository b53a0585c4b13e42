"""Who somebody is, as a source tells it."""

from tests.contract.sources.museum import Museum


def test_who_somebody_is_goes_to_the_roster(museum: Museum) -> None:
    museum.send("03.05.2026;Mia;mia@example.org;7;Robots;1", roster={"id": "Karte"})
    tables = museum.instance.services.stores.recorded(museum.handle)
    (person,) = tables.list("roster.person")
    assert person.subject == "workshops/7"
    assert sorted(person.value["identifiers"], reverse=True) == [
        "mbox mailto:mia@example.org",
        "account https://museum.example.org/cards 7",
    ]


def test_a_mark_within_a_cell_makes_no_second_identifier(museum: Museum) -> None:
    """What stands in a cell is one identifier, whatever it looks like: nobody is joined to another by it."""
    museum.send("03.05.2026;Mia;;7|mailto:bo@example.org;Robots;1", roster={"id": "Kind"})
    (person,) = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    assert person.value["identifiers"] == ["account https://museum.example.org/cards 7|mailto:bo@example.org"]


def test_an_id_to_which_lines_give_two_persons_is_left_out_of_the_roster_and_told(museum: Museum) -> None:
    lines = (
        "03.05.2026;Mia;mia@example.org;7;Robots;1",
        "03.05.2026;Bo;bo@example.org;7;Robots;1",
        "03.05.2026;Cy;cy@example.org;8;Robots;1",
        "04.05.2026;CY;cy@example.org;8;Robots;1",
    )
    assert museum.send(*lines, roster={"id": "Karte"}) == {"read": 4, "stored": 4}
    found = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    assert [one.subject for one in found] == ["workshops/8"]
    assert "People left out of the roster: 1. 7: its lines have" in museum.last.run.reason


def test_rosters_of_two_sources_with_names_that_are_alike_are_two(museum: Museum) -> None:
    for name in ("a-b", "a/b", "a\\b", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"):
        museum.send("03.05.2026;Mia;mia@example.org;7;Robots;1", roster={"id": "Karte"}, name=name)
    found = museum.instance.services.stores.recorded(museum.handle).list("roster.person")
    rosters = {one.value["roster"] for one in found}
    assert len(found) == len(rosters) == 4
    assert "a-b" in rosters
