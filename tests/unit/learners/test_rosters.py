"""Rosters: what a spreadsheet saves, broken rows, people who change and go."""

from typing import Any

import pytest

from lrs.access.handles import InstitutionHandle
from lrs.errors import InvalidImport, InvalidParameter, TooLarge
from lrs.learners.kinds import ROSTER_PERSON
from lrs.learners.roster_file import read_roster, read_roster_file
from lrs.learners.service import LearnerService, RosterOptions
from tests.unit.learners.people import MUSEUM, SCHOOL, Town, rows

HOME = "https://school.example"


def test_file_is_read_in_whatever_form_a_spreadsheet_saves_it() -> None:
    text = "SourcedID;Given Name;familyName;EMAIL;class\n17;Zoë;Müller;zoe@example.org;8A|8B\n\n;;;;\n"
    expected = [
        (
            2,
            {
                "sourcedId": "17",
                "givenName": "Zoë",
                "familyName": "Müller",
                "email": "zoe@example.org",
                "groups": "8A|8B",
            },
        )
    ]
    for data in (
        text.encode(),
        text.encode("utf-8-sig"),
        text.encode("cp1252"),
        text.replace(";", "\t").encode(),
    ):
        assert [(row.line, dict(row.values)) for row in read_roster_file(data)] == expected


def test_columns_are_found_under_other_names_when_they_are_told() -> None:
    data = b"Nr,Geburtsdatum,Mail\n17,19.04.2012,ana@example.org\n"
    columns = {"sourcedId": "nr", "birthDate": "Geburtsdatum", "email": "Mail"}
    (person,) = read_roster("r", read_roster_file(data, columns)).people
    assert (person.sourced_id, person.birth_date) == ("17", "2012-04-19")
    assert person.identifiers == ("mbox mailto:ana@example.org",)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"name,email\nAna,a@b.example\n", "/sourcedId"),
        (b"", "/sourcedId"),
        (b"sourcedId,email,E-Mail,EMAIL\n1,a@b.example,,\n", "/email"),
    ],
)
def test_file_is_refused_when_its_header_names_no_ids_or_a_column_twice(data: bytes, path: str) -> None:
    with pytest.raises(InvalidImport) as refused:
        read_roster_file(data)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_file_is_refused_when_a_named_column_is_missing_or_it_is_no_text() -> None:
    with pytest.raises(InvalidImport) as refused:
        read_roster_file(b"sourcedId\n1\n", {"birthDate": "Born"})
    assert "Born" in refused.value.problems[0].message
    with pytest.raises(InvalidImport, match="not text"):
        read_roster_file(b"PK\x03\x04\0\0")


def test_quoted_cells_with_line_breaks_keep_the_line_numbers_of_what_follows() -> None:
    data = b'sourcedId,email,note\n1,a@b.example,"two\nlines"\n2,nobody,\n'
    found = read_roster("r", read_roster_file(data))
    assert [(one.line, one.sourced_id) for one in found.rejected] == [(4, "2")]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"email": "a@b.example"}, "sourcedId is empty"),
        ({"sourcedId": "1"}, "no other identifier"),
        ({"sourcedId": "1", "email": "a at b"}, "no e-mail address"),
        ({"sourcedId": "1", "email": "a@b.example", "birthDate": "31.02.2012"}, "no date"),
        ({"sourcedId": "1", "email": "a@b.example", "birthDate": "04/05/2012"}, "no date"),
        ({"sourcedId": "1", "email": "a@b.example", "birthDate": "1812-01-01"}, "before 1900"),
        ({"sourcedId": "1", "identifiers": "mailto:a@b.example|nonsense"}, '"nonsense" is none'),
        ({"sourcedId": "1", "email": "a@b.example", "givenName": "A" * 501}, "longer than 500"),
        (
            {"sourcedId": "1", "identifiers": "|".join(f"mailto:a{n}@b.example" for n in range(21))},
            "21 identifiers",
        ),
    ],
)
def test_broken_row_is_left_out_with_line_and_reason_and_the_others_stay(
    values: dict[str, str], reason: str
) -> None:
    good = {"sourcedId": "9", "email": "good@example.org"}
    found = read_roster("r", rows(good, values, {**good, "sourcedId": "10"}))
    assert [person.sourced_id for person in found.people] == ["9", "10"]
    (rejected,) = found.rejected
    assert rejected.line == 3
    assert reason in rejected.reason


def test_one_id_for_two_persons_is_left_out_and_the_same_row_twice_is_one_person() -> None:
    ana = {"sourcedId": "1", "name": "Ana", "email": "ana@example.org", "birthDate": "2012-01-01"}
    assert len(read_roster("r", rows(ana, ana)).people) == 1
    for change, said in (
        ({"birthDate": "2012-01-02"}, "different birth dates"),
        ({"name": "Ben"}, "different names"),
        ({"grade": "8"}, "different things"),
    ):
        found = read_roster("r", rows(ana, {"sourcedId": "2", "email": "x@example.org"}, {**ana, **change}))
        assert [person.sourced_id for person in found.people] == ["2"]
        assert [one.line for one in found.rejected] == [2, 4]
        assert said in found.rejected[0].reason


def test_address_is_known_as_written_and_in_lower_case() -> None:
    (person,) = read_roster("r", rows({"sourcedId": "1", "email": "Ana@Example.org"})).people
    assert person.identifiers == ("mbox mailto:Ana@Example.org", "mbox mailto:ana@example.org")


def test_accounts_are_made_of_ids_when_there_is_a_home_page() -> None:
    (person,) = read_roster("r", rows({"sourcedId": "1", "username": "ana"}), HOME).people
    assert person.identifiers == (f"account {HOME} 1", f"account {HOME} ana")


def test_the_same_roster_twice_writes_nothing(town_on_each: Town) -> None:
    people = rows({"sourcedId": "1", "email": "f@example.org"}, {"sourcedId": "2", "email": "f@example.org"})
    first = town_on_each.service.import_roster(SCHOOL, "pupils", people)
    ends = [
        len(town_on_each.stores.recorded(SCHOOL).read_entries(0, 99)),
        len(town_on_each.commons.read_entries(0, 99)),
    ]
    town_on_each.engine.clock.move(60)
    again = town_on_each.service.import_roster(SCHOOL, "pupils", people)
    assert (first.stored, first.already) == (2, 0)
    assert (again.stored, again.already) == (0, 2)
    assert again.shared == first.shared
    assert ends == [
        len(town_on_each.stores.recorded(SCHOOL).read_entries(0, 99)),
        len(town_on_each.commons.read_entries(0, 99)),
    ]


def test_mailbox_is_shared_when_two_rosters_that_claim_it_are_taken_at_once(town: Town) -> None:
    options = RosterOptions(HOME)
    claims = [{"sourcedId": one, "name": f"Child {one}", "email": "f@example.org"} for one in ("1", "2")]

    class Slow:
        """Tables into which another roster comes between looking and writing."""

        def __init__(self, tables: Any) -> None:
            self.tables = tables

        def __getattr__(self, name: str) -> Any:
            return getattr(self.tables, name)

        def change_all(self, *changes: Any) -> int:
            assert not town.service.import_roster(SCHOOL, "first", rows(claims[0]), options).shared
            return int(self.tables.change_all(*changes))

    def open_slowly(handle: InstitutionHandle) -> Any:
        return Slow(town.stores.recorded(handle))

    late = LearnerService(open_slowly, town.commons, town.derived, town.engine.clock, bytes)
    assert late.import_roster(SCHOOL, "second", rows(claims[1]), options).shared
    town.catch_up()
    assert town.persons() == {frozenset([f"account {HOME} {one}"]) for one in ("1", "2")}
    assert town.all_rows() == town.rebuilt()


def test_missing_people_go_only_from_a_full_roster_and_only_from_that_one(town: Town) -> None:
    tables = town.stores.recorded(SCHOOL)
    everybody = rows(*({"sourcedId": str(number)} for number in range(5)))
    for roster in ("pupils", "pupils2", "club"):
        town.service.import_roster(SCHOOL, roster, everybody, RosterOptions(HOME))
    town.service.import_roster(SCHOOL, "pupils", everybody[:3], RosterOptions(HOME))
    assert tables.count(ROSTER_PERSON) == 15
    done = town.service.import_roster(SCHOOL, "pupils", everybody[:3], RosterOptions(HOME, full=True))
    assert (done.removed, done.kept, tables.count(ROSTER_PERSON)) == (2, 0, 13)


def test_who_is_in_a_rejected_row_stays_when_the_roster_is_full(town: Town) -> None:
    people = rows({"sourcedId": "1"}, {"sourcedId": "2"}, {"sourcedId": "3"})
    town.service.import_roster(SCHOOL, "pupils", people, RosterOptions(HOME))
    broken = rows({"sourcedId": "1"}, {"sourcedId": "2", "birthDate": "soon"})
    done = town.service.import_roster(SCHOOL, "pupils", broken, RosterOptions(HOME, full=True))
    assert (done.removed, len(done.rejected)) == (1, 1)
    nameless = rows({"sourcedId": "1"}, {"email": "a@example.org"})
    done = town.service.import_roster(SCHOOL, "pupils", nameless, RosterOptions(HOME, full=True))
    assert (done.removed, done.kept) == (0, 1)


def test_rosters_of_two_institutions_share_nothing_by_having_one_mailbox(town: Town) -> None:
    """It is one person's, known in both places, unless one institution itself says otherwise."""
    for place in (SCHOOL, MUSEUM):
        done = town.service.import_roster(place, "r", rows({"sourcedId": "1", "email": "ana@example.org"}))
        assert not done.shared
    town.catch_up()
    (learner,) = town.service.list().learners
    assert len(learner.institutions) == 2


def test_nobody_goes_when_a_quotation_mark_is_not_closed(town: Town) -> None:
    """The lines that it swallows may be anybody's, in the columns that are read and in the others."""
    header = "sourcedId,name,email,note\n"
    people = [f"{one},Child {one},c{one}@example.org,\n" for one in range(9)]
    good = (header + "".join(people)).encode()
    town.service.import_roster(SCHOOL, "pupils", read_roster_file(good))
    for broken in (
        [*people[:2], '2,"Child 2,c2@example.org,\n', *people[3:]],
        [
            *people[:2],
            '2,"Child 2,c2@example.org,\n',
            *people[3:7],
            '7,"Child 7",c7@example.org,\n',
            people[8],
        ],
        [*people[:2], '2,Child 2,c2@example.org,"a note\n', *people[3:]],
        [*people[:2], '2,Child 2,c2@example.org,"a note\n', *people[3:7], '7,"Child 7",c7@example.org,\n'],
    ):
        rows_ = read_roster_file((header + "".join(broken)).encode())
        done = town.service.import_roster(SCHOOL, "pupils", rows_, RosterOptions(full=True))
        assert [one.line for one in done.rejected] == [4]
        assert "not closed; lines to" in done.rejected[0].reason
        assert done.removed == 0
    assert town.stores.recorded(SCHOOL).count(ROSTER_PERSON) == 9


def test_a_note_of_several_lines_is_no_broken_row() -> None:
    text = 'sourcedId,email,note\n1,a@example.org,"one\ntwo ""quoted"""\n2,b@example.org,\n'
    found = read_roster("r", read_roster_file(text.encode()))
    assert ([one.sourced_id for one in found.people], found.rejected) == (["1", "2"], [])


def test_a_roster_is_refused_when_it_is_too_large() -> None:
    with pytest.raises(TooLarge, match="20,000,000 bytes"):
        read_roster_file(b"sourcedId,email\n" + b"x" * 20_000_000)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,J\x81rg,j@x.org", "name holds a byte that is neither UTF-8 nor Windows-1252"),
        ("1,Ada\u202egnp,j@x.org".encode(), "name holds a line break, or a character that is not seen"),
        ("1,Ada,ada\u200b@x.org".encode(), "email holds"),
        ("1\u2066,Ada,ada@x.org".encode(), "sourcedId holds"),
    ],
)
def test_what_nobody_sees_in_a_cell_breaks_the_row(row: bytes, reason: str) -> None:
    found = read_roster("r", read_roster_file(b"sourcedId,name,email\n" + row))
    assert not found.people
    assert reason in found.rejected[0].reason


def _claim(name: str, born: str = "") -> dict[str, str]:
    return {"sourcedId": "1", "name": name, "email": "family@example.org", "birthDate": born}


@pytest.mark.parametrize(
    ("claims", "are_shared"),
    [
        ([_claim("Clove Q.", "2012-06-20"), _claim("clove", "2012-06-20")], False),
        ([_claim("Clove", "2012-06-20"), _claim(" CLOVE ")], False),
        ([_claim("", "2012-06-20"), _claim("Clove", "2012-06-20")], False),
        ([_claim("Clove Ash", "2012-06-20"), _claim("Onyx Ash", "2012-06-20")], True),
        ([_claim("Clove"), _claim("Onyx")], True),
        ([_claim(""), _claim("")], True),
        ([_claim("Clove"), _claim("Clove", "2012-06-20"), _claim("Clove", "2010-09-13")], True),
        ([_claim("Clove", "2010-09-13"), _claim("Clove"), _claim("Clove", "2012-06-20")], True),
    ],
)
def test_rosters_of_one_institution_name_one_person_only_where_no_two_contradict(
    town: Town, claims: list[dict[str, str]], are_shared: bool
) -> None:
    """Whichever comes first: twins in two classes, no names, a third that contradicts the second."""
    for number, claim in enumerate(claims):
        done = town.service.import_roster(SCHOOL, f"class {number}", rows(claim))
    assert bool(done.shared) == are_shared
    town.catch_up()
    assert town.all_rows() == town.rebuilt()


@pytest.mark.parametrize("name", ["", "a/b", "a\nb", "x" * 101])
def test_roster_is_refused_when_its_name_is_none(town: Town, name: str) -> None:
    with pytest.raises(InvalidParameter):
        town.service.import_roster(SCHOOL, name, rows())
