"""Sources from the command line, with real processes: two record stores, and runs that are killed."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import read_settings
from lrs.services import build_services
from tests.server import LRS, RunningServer, clean_environ, run_lrs, running_server

pytestmark = pytest.mark.lasting

CONFIG = {
    "name": "attendance",
    "actor": {"mbox": "Mail"},
    "when": {"date": "Day"},
    "verb": "http://adlnet.gov/expapi/verbs/attended",
    "activity": {"id": "https://museum.example.org/rooms/{Room}"},
    "duration": {"column": "Hours"},
}
LINES = 1_500


class Museum:
    """A store that only commands work on."""

    def __init__(self, folder: Path, **variables: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.environ = clean_environ(LRS_STORE=f"sqlite:///{folder}/lrs.db", **variables)
        self.lrs("institution", "create", "Museum")
        (folder / "config.json").write_text(json.dumps(CONFIG))

    def lrs(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_lrs(*arguments, environ=self.environ, check=check)

    def command(self, *more: str) -> list[str]:
        config = str(self.folder / "config.json")
        return ["connector", "run", "csv", "--institution", "Museum", "--config", config, "--json", *more]

    def send(self, lines: list[str], *more: str) -> Any:
        return json.loads(self.lrs(*self.command(*more, str(self.write(lines)))).stdout)

    def write(self, lines: list[str]) -> Path:
        file = self.folder / "attendance.csv"
        file.write_text("\n".join(["Mail,Day,Room,Hours", *lines]))
        return file

    def wait_for(self, statements: int) -> None:
        """Return when the store holds so many statements."""
        services = build_services(read_settings({"LRS_STORE": self.environ["LRS_STORE"]}))
        handle = services.access.handle_for_institution_named("Museum")
        deadline = time.monotonic() + 60
        while services.quotas.usage(handle, 0).statements < statements:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        services.close()

    def standing(self) -> Counter[tuple[str, str]]:
        """Who has how long, of what is not voided; and how many voidings there are."""
        services = build_services(read_settings({"LRS_STORE": self.environ["LRS_STORE"]}))
        handle = services.access.handle_for_institution_named("Museum")
        entries, after = [], 0
        while page := services.log._reader.read(handle, after, 5_000).entries:
            entries += page
            after = page[-1].position
        services.close()
        found: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            statement = json.loads(entry.text)
            if "result" not in statement:
                found["voidings", ""] += 1
            elif not entry.voided:
                found[statement["actor"]["mbox"], statement["result"]["duration"]] += 1
        return found


def lines(hours: str) -> list[str]:
    return [f"child{n}@example.org,2026-05-03,robots,{hours}" for n in range(LINES)]


@pytest.fixture
def museum(tmp_path: Path) -> Museum:
    return Museum(tmp_path / "museum")


@pytest.mark.lasting
@pytest.mark.parametrize("reached", [LINES + 1, LINES + 650, 2 * LINES - 100])
def test_a_run_that_is_killed_and_run_again_leaves_what_one_run_leaves(museum: Museum, reached: int) -> None:
    museum.send(lines("1"))
    process = subprocess.Popen(
        [*LRS, *museum.command(str(museum.write(lines("2"))))], env=museum.environ, stdout=subprocess.DEVNULL
    )
    museum.wait_for(reached)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    museum.send(lines("2"))
    whole = Counter({(f"mailto:child{n}@example.org", "PT2H"): 1 for n in range(LINES)})
    assert museum.standing() == whole + Counter({("voidings", ""): LINES})
    again = museum.send(lines("2"))
    assert again["already"] == again["read"] == LINES
    assert again["stored"] == again["voided"] == 0
    (source,) = json.loads(museum.lrs("connector", "list", "--json").stdout)
    assert [run["state"] for run in source["runs"]] == ["done", "done", "abandoned", "done"]


def test_the_commands_tell_what_became_of_rows(museum: Museum) -> None:
    good, bad = "mia@example.org,2026-05-03,robots,1", "bo@example.org,2026-05-03,robots,abc"
    rehearsed = museum.send([good, bad], "--dry-run")
    assert [one["actor"]["mbox"] for one in rehearsed["statements"]] == ["mailto:mia@example.org"]
    assert museum.standing() == Counter()
    first = museum.send([good, bad])
    counted = {name: first[name] for name in ("read", "stored", "already", "rejected", "kept_aside")}
    assert counted == {"read": 2, "stored": 1, "already": 0, "rejected": 1, "kept_aside": 0}
    assert museum.send([good, bad])["already"] == 1
    (row,) = json.loads(museum.lrs("connector", "rejected", first["run"], "--json").stdout)
    assert row["reason"] == "Line 3, Hours: 'abc' is no number."
    assert row["row"]["lines"]["3"]["Mail"] == "bo@example.org"
    assert json.loads(museum.lrs("connector", "replay", "--json", first["run"]).stdout)["rejected"] == 1
    assert json.loads(museum.lrs("connector", "undo", "--json", first["run"]).stdout)["voided"] == 1
    (source,) = json.loads(museum.lrs("connector", "list", "--json").stdout)
    assert [run["act"] for run in source["runs"]] == ["undo", "replay", "run", "run"]
    museum.lrs("connector", "schedule", "--institution", "Museum", "--every-minutes", "60", "attendance")
    assert "every 60 minutes" in museum.lrs("connector", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run csv --institution Nobody x.csv", "no institution named 'Nobody'; there are 'Museum'"),
        ("run csv --institution Museum x.csv", "say in a configuration (--config)"),
        ("rejected nothing", "no run 'nothing'"),
        ("undo nothing", "no run 'nothing'"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(museum: Museum, arguments: str, words: str) -> None:
    done = museum.lrs("connector", *arguments.split(), check=False)
    assert done.returncode == 1
    assert words in done.stderr


def test_a_column_that_is_not_there_is_told_with_those_that_are(museum: Museum) -> None:
    (museum.folder / "config.json").write_text(json.dumps({**CONFIG, "when": {"date": "Date"}}))
    done = museum.lrs(*museum.command(str(museum.write(["a@example.org,2026-05-03,robots,1"]))), check=False)
    assert done.returncode == 1
    assert "/when/date: There is no column 'Date'; there are 'Mail', 'Day', 'Room', 'Hours'." in done.stderr


@pytest.fixture
def other(tmp_path: Path) -> Iterator[RunningServer]:
    folder = tmp_path / "other"
    folder.mkdir()
    with running_server(f"sqlite:///{folder}/lrs.db", folder) as server:
        yield server


def statement(number: int) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {"mbox": f"mailto:child{number}@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {"id": "https://school.example.org/robots"},
        "result": {"duration": "PT1H", "score": {"raw": 1.50}},
    }


def voiding(number: int) -> dict[str, Any]:
    target = {"objectType": "StatementRef", "id": statement(number)["id"]}
    verb = {"id": "http://adlnet.gov/expapi/verbs/voided"}
    return {"actor": {"mbox": "mailto:office@example.org"}, "verb": verb, "object": target}


@pytest.mark.lasting
def test_another_store_is_pulled_page_by_page_and_on_from_there(tmp_path: Path, other: RunningServer) -> None:
    address = other.url.removeprefix("http://")
    museum = Museum(tmp_path / "museum", LRS_OUTBOUND_ALLOW=address)
    key = other.make_key("School")
    other.call("POST", "/xapi/statements", [statement(n) for n in range(1, 251)], key=key)
    (tmp_path / "credentials").write_text(key + "\n")
    (tmp_path / "pull.json").write_text(json.dumps({"name": "school", "limit": 100}))
    command = ["connector", "run", "xapi", "--institution", "Museum", "--json"]
    config = ["--config", str(tmp_path / "pull.json"), "--credentials", str(tmp_path / "credentials")]
    place = f"{other.url}/xapi"

    def pull(*options: str) -> Any:
        found = json.loads(museum.lrs(*command, *options, place).stdout)
        return {name: found[name] for name in ("read", "stored", "already", "rejected", "kept_aside")}

    nothing = dict.fromkeys(("read", "stored", "already", "rejected", "kept_aside"), 0)
    assert pull("--dry-run", *config) == {**nothing, "read": 250, "stored": 250}
    assert pull(*config) == {**nothing, "read": 250, "stored": 250}
    (tmp_path / "named.json").write_text(json.dumps({"name": "school", "limit": 100}))
    named = ["--config", str(tmp_path / "named.json")]
    assert pull(*named) == nothing
    other.call("POST", "/xapi/statements", [statement(251), voiding(7)], key=key)
    assert pull(*named) == {**nothing, "read": 2, "stored": 2}
    standing = museum.standing()
    assert len(standing) == 251
    assert ("mailto:child7@example.org", "PT1H") not in standing
    secret = key.partition(":")[2]
    assert secret not in museum.lrs("connector", "list", "--json").stdout
    assert secret.encode() not in (tmp_path / "museum" / "lrs.db").read_bytes()


def test_a_private_address_is_not_gone_to_unless_it_is_allowed(tmp_path: Path, other: RunningServer) -> None:
    museum = Museum(tmp_path / "museum")
    done = museum.lrs("connector", "run", "xapi", "--institution", "Museum", f"{other.url}/xapi", check=False)
    assert done.returncode == 1
    assert "LRS_OUTBOUND_ALLOW" in done.stderr


def test_wrong_credentials_are_told_in_words(tmp_path: Path, other: RunningServer) -> None:
    museum = Museum(tmp_path / "museum", LRS_OUTBOUND_ALLOW=other.url.removeprefix("http://"))
    (tmp_path / "credentials").write_text("nobody:nothing")
    command = ["connector", "run", "xapi", "--institution", "Museum", f"{other.url}/xapi"]
    done = museum.lrs(*command, "--credentials", str(tmp_path / "credentials"), check=False)
    assert done.returncode == 1
    assert "answered 401: look at the credentials" in done.stderr
