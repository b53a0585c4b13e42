"""From a posted statement to a line on a transcript, on the demo city, by the commands that everybody has."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer, clean_environ, run_lrs, running_server

pytestmark = [pytest.mark.lasting, pytest.mark.timeout(300), pytest.mark.xdist_group("city")]

MAPLE = "mailto:maple.stonequay@post.port-amaris.example"
NETTLE = "mailto:nettle.tidecroft@post.port-amaris.example"
PIKE = "mailto:pike.saltmarsh@post.port-amaris.example"
SCHOOL, MUSEUM = "Port Amaris Harbour School", "Museum of the Amaris Sea"


@dataclass
class Demo:
    """The demo city, loaded into a store of its own."""

    folder: Path
    environ: dict[str, str]
    said: str

    def lrs(self, *arguments: str, check: bool = True) -> str:
        return run_lrs(*arguments, environ=self.environ, check=check).stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.lrs(*arguments, "--json"))

    def learner(self, identifier: str) -> str:
        found: str = self.json("learner", "find", identifier)["id"]
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    environ = clean_environ(LRS_STORE=f"sqlite:///{folder}/lrs.db")
    return Demo(folder, environ, run_lrs("demo", environ=environ).stdout)


@pytest.fixture(scope="module")
def server(demo: Demo) -> Iterator[RunningServer]:
    with running_server(demo.environ["LRS_STORE"], demo.folder) as started:
        yield started


def links(said: str) -> list[str]:
    return [re.sub(r"^https?://[^/]+", "", link) for link in re.findall(r"https?://\S+", said)]


def sign_in(server: RunningServer, link: str) -> str:
    """Press the button of a sign-in page; return where that leads to."""
    page = server.call("GET", link, version=None)
    token = re.findall(r'name="form" value="([0-9a-f]+)"', page.body.decode())[0]
    headers = {
        "Cookie": page.headers["set-cookie"].split(";")[0],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = server.call("POST", link, f"form={token}".encode(), version=None, headers=headers)
    assert answer.status == 303
    return answer.headers["location"]


@pytest.mark.parametrize("what", ["portfolio", "transcript", "docs"])
def test_printed_link_opens_without_signing_in(demo: Demo, server: RunningServer, what: str) -> None:
    found = [link for link in links(demo.said) if what in link]
    assert found
    for link in found:
        assert server.call("GET", link, version=None).status == 200, link


def test_sign_in_links_are_printed_for_learner_provider_and_registrar(
    demo: Demo, server: RunningServer
) -> None:
    found = [link for link in links(demo.said) if "/sign-in/" in link]
    assert len(found) >= 3
    homes = {sign_in(server, link) for link in found}
    assert homes == {"/portfolio", "/transcripts", "/arrivals"}


def test_learners_are_listed_and_found_by_any_of_their_identifiers(demo: Demo) -> None:
    learners = demo.json("learner", "list")
    assert len({one["id"] for one in learners}) == len(learners) >= 24
    by_school = demo.learner("account https://school.port-amaris.example/accounts pa-2085")
    assert demo.learner(MAPLE) == by_school


def test_progress_is_derived_from_the_records_of_all_institutions(demo: Demo) -> None:
    learner = demo.learner(MAPLE)
    progress = demo.json("progress", learner)
    assert any(one["level"] for one in progress)
    told = [demo.json("explain", learner, one["item"])["text"] for one in progress if one["evidence"]]
    for name in (SCHOOL, MUSEUM, "Amaris Tideworks"):
        assert any(f"in the record of {name}" in text for text in told), name


def test_one_visitor_is_unresolved_and_two_persons_share_a_mailbox(demo: Demo) -> None:
    learners = demo.json("learner", "list")
    of_cards = [one for one in learners if any("/cards V-" in text for text in one["identifiers"])]
    alone = [one for one in of_cards if len(one["identifiers"]) == 1]
    assert [one["identifiers"] for one in alone] == [
        ["account https://museum.port-amaris.example/cards V-0777"]
    ]
    shared = [one for one in learners if one["shared"]]
    assert [one["institutions"] for one in shared] == [[MUSEUM]]
    pupils = [one for one in learners if one["birthDates"]]
    assert len(pupils) == 24
    assert all(len(one["birthDates"]) == 1 for one in pupils)


def test_a_pathway_is_half_finished_and_another_finished_with_its_award(demo: Demo) -> None:
    states = {}
    for who in (MAPLE, NETTLE):
        (path,) = json.loads(demo.lrs("portfolio", demo.learner(who), "--format", "json"))["pathways"]
        states[who] = (path["done"], sum(step["done"] for step in path["steps"]), len(path["steps"]))
    assert states[MAPLE][0]
    done, finished, steps = states[NETTLE]
    assert not done
    assert 0 < finished < steps
    assert len(demo.json("award", "list", demo.learner(MAPLE))) == 1
    assert demo.json("award", "list", demo.learner(NETTLE)) == []


def test_every_level_is_explained_down_to_statement_rule_version_and_voucher(demo: Demo) -> None:
    learner = demo.learner(MAPLE)
    levels = [one for one in demo.json("progress", learner) if one["evidence"]]
    for one in levels[:3]:
        told = json.dumps(demo.json("explain", learner, one["item"]))
        assert one["evidence"][-1] in told
        assert "rule" in told
        assert "version" in told
        assert "voucher" in told


def test_derived_rows_are_the_same_when_they_are_made_again(demo: Demo) -> None:
    found = demo.json("rebuild", "--verify")
    assert found["differences"] == 0
    assert set(found) >= {"statements", "evidence", "progress", "completions", "differences", "seconds"}
    assert min(found[name] for name in ("statements", "evidence", "progress", "completions")) > 0


def test_transcript_lines_carry_the_ids_of_kept_statements(demo: Demo, server: RunningServer) -> None:
    out = demo.folder / "transcript.json"
    names = [one["name"] for one in demo.json("crosswalk", "list")]
    demo.lrs(
        "transcript", demo.learner(MAPLE), "--crosswalk", names[0], "--format", "json", "--out", str(out)
    )
    transcript = json.loads(out.read_text())
    evidence = [one for line in transcript["lines"] for one in line["evidence"]]
    assert evidence
    assert transcript["courses"]
    keys = [server.make_key(name) for name in (SCHOOL, MUSEUM, "Amaris Tideworks")]
    for statement in evidence[:10]:
        path = f"/xapi/statements?statementId={statement}"
        assert 200 in [server.call("GET", path, key=key).status for key in keys]


def test_transcript_shows_less_when_the_learner_has_not_consented(demo: Demo) -> None:
    made = {}
    for who in (MAPLE, PIKE):
        out = demo.folder / f"{who[7:12]}.json"
        learner = demo.learner(who)
        demo.lrs("transcript", learner, "--crosswalk", "harbour-2026", "--format", "json", "--out", str(out))
        made[who] = json.loads(out.read_text())
    assert made[MAPLE]["lines"]
    assert made[PIKE]["courses"]
    assert len(made[PIKE]["lines"]) < len(made[MAPLE]["lines"])


def test_transcript_is_a_pdf_when_that_is_asked_for(demo: Demo) -> None:
    out = demo.folder / "transcript.pdf"
    learner = demo.learner(MAPLE)
    demo.lrs("transcript", learner, "--crosswalk", "harbour-2026", "--format", "pdf", "--out", str(out))
    assert out.read_bytes().startswith(b"%PDF-")


def test_award_was_made_once_and_jobs_run_again_change_nothing(demo: Demo) -> None:
    before = demo.json("award", "list", demo.learner(MAPLE))
    for job in ("derive", "award"):
        demo.lrs("jobs", "run", job)
    demo.lrs("worker", "--once")
    assert demo.json("award", "list", demo.learner(MAPLE)) == before
    assert {one["outcome"] for one in demo.json("jobs", "history")} == {"done"}


def test_rejected_row_of_the_spreadsheet_is_kept_with_its_reason(demo: Demo) -> None:
    source = next(one for one in demo.json("connector", "list") if one["name"] == "holiday-workshops")
    rejected = demo.json("connector", "rejected", source["runs"][0]["run"])
    assert "two" in json.dumps(rejected)


def test_everything_is_gone_when_the_city_is_taken_away(tmp_path: Path) -> None:
    environ = clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db")
    run_lrs("key", "create", "--institution", "Neighbour", "--scope", "all", environ=environ)
    run_lrs("demo", environ=environ)
    run_lrs("demo", "--remove", environ=environ)
    assert json.loads(run_lrs("learner", "list", "--json", environ=environ).stdout) == []
    assert run_lrs("institution", "list", environ=environ).stdout.count("\n") == 1
    assert json.loads(run_lrs("check", "--json", environ=environ).stdout) == {"statements": 0, "faults": []}
    run_lrs("demo", environ=environ)
