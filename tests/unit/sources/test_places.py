"""Other hosts are asked again where that may help, and files are read within bounds."""

from pathlib import Path
from typing import Any

import pytest

from lrs.errors import InvalidBody, InvalidRequest, OutboundError, OutboundRefused, OutboundUnavailable
from lrs.outbound.model import Answer
from lrs.sources.model import check_place
from lrs.sources.places import BACKOFF, PatientClient

URL = "https://other.example.org/x.csv"


class Scripted:
    """Gives outcomes in turn, and counts how often it was asked."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0

    def request(self, *_: object, **__: object) -> Answer:
        self.asked += 1
        found = self.outcomes.pop(0)
        if isinstance(found, Exception):
            raise found
        status, headers = found if isinstance(found, tuple) else (found, {})
        return Answer(status, headers, b"content", URL)


def client(*outcomes: Any) -> tuple[PatientClient, Scripted, list[float]]:
    waited: list[float] = []
    scripted = Scripted(*outcomes)
    return PatientClient(scripted, waited.append, lambda: 1.0), scripted, waited  # type: ignore[arg-type]


def test_what_fails_for_a_moment_is_asked_for_again_after_growing_waits() -> None:
    asking, scripted, waited = client(503, OutboundUnavailable("slow"), (429, {"Retry-After": "7"}), 200)
    assert asking.get(URL, {}).status == 200
    assert scripted.asked == 4
    assert waited == [1.0, 2.0, 7.0]


def test_after_some_failures_the_last_outcome_stands() -> None:
    asking, scripted, _ = client(*[503] * 9)
    assert asking.get(URL, {}).status == 503
    assert scripted.asked == BACKOFF.attempts
    asking, scripted, _ = client(*[OutboundUnavailable("slow")] * 9)
    with pytest.raises(OutboundUnavailable):
        asking.get(URL, {})
    assert scripted.asked == BACKOFF.attempts


@pytest.mark.parametrize("outcome", [401, 404, (503, {"Retry-After": "3600"}), OutboundRefused("private")])
def test_what_does_not_pass_by_itself_is_not_asked_for_again(outcome: Any) -> None:
    asking, scripted, waited = client(outcome)
    if isinstance(outcome, Exception):
        with pytest.raises(OutboundRefused):
            asking.get(URL, {})
    else:
        asking.get(URL, {})
    assert (scripted.asked, waited) == (1, [])


def test_a_file_is_read_here_or_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"here")
    asking, _, _ = client(200, 404)
    assert asking.load(str(tmp_path / "a.csv")) == b"here"
    assert asking.load(URL) == b"content"
    with pytest.raises(OutboundError, match="answered 404"):
        asking.load(URL)


@pytest.mark.parametrize("name", ["", "nothing.csv"])
def test_what_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    asking, _, _ = client()
    with pytest.raises(InvalidBody, match="There is no file"):
        asking.load(str(tmp_path / name))


def test_address_with_a_password_in_it_is_refused() -> None:
    check_place("https://lrs.example.org/xapi?since=1@2")
    check_place("folder/week@7.csv")
    with pytest.raises(InvalidRequest, match="--credentials"):
        check_place("https://key:secret@lrs.example.org/xapi")
