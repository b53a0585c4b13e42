"""How a source is set up and told of, and to whom its credentials are shown."""

from typing import Any

import pytest

from lrs.errors import Conflict, InvalidImport, InvalidRequest, NotFound
from lrs.outbound.model import Answer
from lrs.sources.model import Kind
from lrs.sources.places import PatientClient
from lrs.sources.setup import SourceWish, read_config
from tests.contract.sources.museum import BO, MIA, Museum


def test_a_source_keeps_its_configuration_and_its_kind(museum: Museum) -> None:
    museum.send(MIA.format(1))
    wish = SourceWish(Kind.XAPI, "https://other.example.org/xapi", {"name": "workshops"})
    with pytest.raises(Conflict, match="of the kind csv"):
        museum.sources.run(museum.handle, wish)
    with pytest.raises(InvalidRequest, match="--config"):
        museum.sources.run(museum.handle, SourceWish(Kind.CSV, str(museum.file)))
    with pytest.raises(InvalidImport) as caught:
        museum.send(MIA.format(1), when={"date": "Tag"})
    assert caught.value.problems[0].path == "/when/date"


def test_runs_that_are_not_there_are_told(museum: Museum) -> None:
    for ask in (museum.sources.undo, museum.sources.replay, museum.sources.rejected):
        with pytest.raises(NotFound, match="no run 'nothing'"):
            ask(museum.handle, "nothing")  # type: ignore[operator]


def test_the_page_of_arrivals_tells_what_a_source_brought_and_how_much_was_left_out(museum: Museum) -> None:
    museum.send(MIA.format(1), BO.format("secret@example.org"))
    clients = museum.instance.access.client_names(museum.handle.institution_id)
    (client,) = (id_ for id_, name in clients.items() if name == "workshops")
    found = museum.instance.services.arrivals.overview(museum.handle, client)
    (refusal,) = found.refusals
    assert refusal.detail.startswith("1 of 2 rows were left out")
    assert "secret" not in str(refusal)
    assert len(found.receipts) == 1


def test_credentials_are_not_shown_to_another_host(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str | None] = []

    def get(_: object, url: str, headers: Any) -> Answer:
        shown.append(headers.get("Authorization"))
        return Answer(200, {}, b'{"statements":[]}', url)

    monkeypatch.setattr(PatientClient, "get", get)
    config = {"name": "other"}
    for place, credentials in (
        ("https://one.example.org/xapi", "key:secret"),
        ("https://one.example.org/xapi", None),
        ("https://two.example.org/xapi", None),
    ):
        museum.sources.run(museum.handle, SourceWish(Kind.XAPI, place, config, credentials))
    assert shown == ["Basic a2V5OnNlY3JldA=="] * 2 + [None]
    kept = str(museum.instance.services.stores.recorded(museum.handle).list("source"))
    assert "key:secret" not in kept


def test_no_institution_sees_anothers_sources(museum: Museum) -> None:
    museum.send(MIA.format(1))
    museum.instance.key("School")
    other = museum.instance.access.handle_for_institution_named("School")
    assert museum.sources.list(other) == []
    with pytest.raises(NotFound):
        museum.sources.get_run(other, museum.last.run.id)


@pytest.mark.parametrize(
    "text",
    [
        b'{"score": {"column": "Note", "min": NaN}}',
        b'{"headerLine": 1e400}',
        b'{"name": "\\ud800"}',
        b'{"limits": {"bytes": 99999999999999999999999}}',
        b'{"actor": ' + b'{"agent": ' * 500 + b"1" + b"}" * 501,
        b"[" * 100_000,
        b'{"name": "\xff"}',
        b"[]",
    ],
)
def test_a_configuration_is_refused_when_it_is_no_json_that_can_be_kept(text: bytes) -> None:
    with pytest.raises(InvalidRequest, match="The configuration"):
        read_config(text)
