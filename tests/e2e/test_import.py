"""``lrs import`` with real processes: output, exit codes, kill -9 and continue, the real 22,000."""

import gzip
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.factories import make_statement, make_statement_id
from tests.reference import reference_dir
from tests.server import LRS, RunningServer, clean_environ, run_lrs, running_server

Json = dict[str, Any]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db")


def write_lines(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    return path


def do_import(path: Path, environ: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return run_lrs("import", "--institution", "School", str(path), *options, environ=environ, check=False)


def read_all(server: RunningServer, key: str) -> Iterator[Json]:
    """Page through everything, newest first."""
    path = "/xapi/statements?limit=1000"
    while path:
        answer = server.call("GET", path, key=key)
        assert answer.status == 200, answer.body
        page = answer.json()
        yield from page["statements"]
        path = page["more"].removeprefix(server.url)


@pytest.mark.lasting
def test_counts_stand_alone_on_standard_output_when_json_is_asked_for(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = write_lines(tmp_path / "a.ndjson", [make_statement(), {"verb": 5}, make_statement()])
    done = do_import(path, environ, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"read": 3, "stored": 2, "already": 0, "rejected": 1}
    assert done.stdout.count("\n") == 1
    assert "a.ndjson, line 2" in done.stderr
    assert "/verb" in done.stderr
    again = do_import(path, environ, "--json")
    assert json.loads(again.stdout) == {"read": 3, "stored": 0, "already": 2, "rejected": 1}


def test_a_sentence_says_what_became_of_the_records_when_json_is_not_asked_for(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([make_statement(), make_statement(verb={}), 7]))
    done = do_import(path, environ)
    assert done.returncode == 0
    assert "1 stored, 0 were there already, 2 rejected" in done.stdout
    assert "a.json, index 1" in done.stderr
    assert "a.json, index 2" in done.stderr


@pytest.mark.lasting
def test_same_ids_are_given_when_the_same_content_comes_packed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = write_lines(tmp_path / "a.ndjson", [make_statement(), make_statement()])
    do_import(path, environ)
    packed = tmp_path / "other-name"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert json.loads(do_import(packed, environ, "--json").stdout)["already"] == 2


def test_exit_code_is_1_and_the_good_part_is_kept_when_the_file_breaks_off(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([make_statement(), make_statement()])[:-1] + ", {")
    done = do_import(path, environ, "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Stopped after 2 records; 2 of them are new" in done.stderr
    assert "Traceback" not in done.stderr


def test_exit_code_is_2_when_there_is_no_such_file(tmp_path: Path, environ: dict[str, str]) -> None:
    assert do_import(tmp_path / "none", environ).returncode == 2


def test_exit_code_is_4_when_the_store_cannot_be_opened(tmp_path: Path, environ: dict[str, str]) -> None:
    (tmp_path / "lrs.db").write_bytes(b"this is no database, it only stands where one should be" * 100)
    done = do_import(write_lines(tmp_path / "a.ndjson", [make_statement()]), environ)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


@pytest.mark.lasting
def test_rejected_records_are_refusals_when_the_institution_looks(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    from config.settings import read_settings
    from lrs.services import build_services

    path = write_lines(tmp_path / "a.ndjson", [{"verb": number} for number in range(120)])
    do_import(path, environ)
    services = build_services(read_settings({name: environ[name] for name in ("LRS_STORE",)}))
    handle = services.access.handle_for_institution_named("School")
    refusals = services.arrivals.overview(handle, "import").refusals
    services.close()
    assert len(refusals) == 100
    assert refusals[-1].detail.startswith("a.ndjson, line 1:")
    assert {(one.method, one.status) for one in refusals} == {("IMPORT", 400)}


def start_import(path: Path, environ: Mapping[str, str], *options: str) -> subprocess.Popen[str]:
    """Start an import as the head of a group of processes, as a terminal does."""
    return subprocess.Popen(
        [*LRS, "import", "--institution", "School", str(path), "--json", *options],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.lasting
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_nothing_is_missing_and_nothing_twice_when_it_is_interrupted_and_run_again(
    tmp_path: Path, environ: dict[str, str], by: signal.Signals, processes: str
) -> None:
    total = 12_000
    path = write_lines(tmp_path / "a.ndjson", answers(total))
    interrupted = 0
    for wait in (0.3, 0.6, 0.9):
        process = start_import(path, environ, "--processes", processes)
        wait_for_growth(tmp_path / "lrs.db-wal", process)
        time.sleep(wait)
        if process.poll() is None:
            interrupted += 1
            os.killpg(process.pid, by)
        _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        assert process.returncode in ({-9, 0} if by is signal.SIGKILL else {130, 0})
    assert interrupted
    done = do_import(path, environ, "--json")
    counts = json.loads(done.stdout)
    assert counts["read"] == total
    assert counts["stored"] + counts["already"] == total
    assert counts["already"] > 0
    assert counts["rejected"] == 0
    with running_server(environ["LRS_STORE"], tmp_path) as server:
        kept = list(read_all(server, server.make_key("School")))
    assert sorted(one["result"]["response"] for one in kept) == sorted(f"answer {n}" for n in range(total))


def answers(total: int) -> list[Json]:
    """Statements that can be told apart, every other one with an id."""
    return [
        make_statement(id=make_statement_id(n) if n % 2 else None, result={"response": f"answer {n}"})
        for n in range(total)
    ]


@pytest.mark.lasting
def test_processes_that_prepare_end_when_the_one_that_writes_is_killed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = write_lines(tmp_path / "a.ndjson", answers(12_000))
    process = start_import(path, environ, "--processes", "2")
    wait_for_growth(tmp_path / "lrs.db-wal", process)
    others = wait_for_others(
        process.pid, 4
    )  # the two, the one that they are forked from, the one that tidies up
    process.kill()
    process.communicate(timeout=60)
    wait_until_gone(others)


@pytest.mark.lasting
def test_it_stops_and_says_why_when_a_process_that_prepares_is_killed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    path = write_lines(tmp_path / "a.ndjson", answers(12_000))
    process = start_import(path, environ, "--processes", "2")
    others = wait_for_others(process.pid, 4)
    os.kill(others[-1], signal.SIGKILL)
    out, errors = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert "A process that prepared records was killed" in errors
    assert "Run the same command again" in errors
    assert "Traceback" not in errors
    wait_until_gone(others)
    counts = json.loads(do_import(path, environ, "--json").stdout)
    assert counts["stored"] + counts["already"] == counts["read"] == 12_000
    assert counts["already"] == int(re.search(r"; ([\d,]+) of them are new", errors)[1].replace(",", ""))


def wait_for_others(process: int, count: int) -> list[int]:
    """Return a process's descendants, once there are so many; the youngest generation last."""
    for _ in range(600):
        found, looked = [process], 0
        while looked < len(found):
            found += children_of(found[looked])
            looked += 1
        if len(found) > count:
            return found[1:]
        time.sleep(0.05)
    raise AssertionError(f"{process} has no {count} descendants")


def children_of(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def wait_until_gone(processes: list[int]) -> None:
    for _ in range(600):
        if not any(Path(f"/proc/{one}").exists() for one in processes):
            return
        time.sleep(0.05)
    raise AssertionError("they live on")


def wait_for_growth(path: Path, process: subprocess.Popen[str]) -> None:
    """Return once the store has been written to, or the import ended."""
    before = path.stat().st_size if path.exists() else -1
    for _ in count():
        if process.poll() is not None or (path.exists() and path.stat().st_size not in (before, 0)):
            return
        time.sleep(0.01)


def check_real_statements(store_url: str, folder: Path, every: int = 1) -> None:
    """Import real statements by the command and read each back over HTTP, equal to what was sent."""
    original = reference_dir() / "xapi-samples" / "ralph" / "statements.json.gz"
    lines = gzip.decompress(original.read_bytes()).splitlines(keepends=True)
    assert len(lines) == 22_000
    path = folder / "statements.json.gz"
    path.write_bytes(gzip.compress(b"".join(lines[::every]), 1))
    sent = [json.loads(line) for line in lines[::every]]
    # The Java server that stands in for MongoDB is slow where others use the machine.
    environ = clean_environ(LRS_STORE=store_url, LRS_BUSY_SECONDS="60")
    done = do_import(path, environ, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"read": len(sent), "stored": len(sent), "already": 0, "rejected": 0}
    with running_server(store_url, folder) as server:
        key = server.make_key("School")
        got = list(read_all(server, key))
        some = got[:: len(got) // 50]
        for one in some:
            alone = server.call("GET", f"/xapi/statements?statementId={one['id']}", key=key)
            assert alone.json() == one
    assert len(got) == len(sent)
    by_id = {one["id"]: one for one in got}
    assert len(by_id) == len(sent)
    in_order = list(reversed(got))
    for number, one in enumerate(sent):
        back = by_id[one["id"]] if "id" in one else in_order[number]
        assert plain(back, one) == plain(one, one)


def plain(statement: Json, sent: Json) -> Json:
    """Leave out what the store sets, and write a single context activity as the array it comes back as."""
    kept = {name: value for name, value in statement.items() if name not in ("authority", "stored")}
    for name in ("id", "version", "timestamp"):
        if name not in sent:
            kept.pop(name, None)
    activities = kept.get("context", {}).get("contextActivities")
    if activities:
        arrays = {kind: value if isinstance(value, list) else [value] for kind, value in activities.items()}
        kept["context"] = {**kept["context"], "contextActivities": arrays}
    return kept


@pytest.mark.reference
@pytest.mark.lasting
def test_all_22000_real_statements_come_back_as_sent_when_imported_on_sqlite(tmp_path: Path) -> None:
    check_real_statements(f"sqlite:///{tmp_path}/lrs.db", tmp_path)


@pytest.mark.reference
@pytest.mark.mongo_server
@pytest.mark.timeout(400)
@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.soak)])
def test_real_statements_come_back_as_sent_when_imported_on_mongodb(
    tmp_path: Path, mongo_server_uri: str, every: int
) -> None:
    url = f"{mongo_server_uri.rstrip('/')}/lrs_import_{os.getpid()}_{every}"
    check_real_statements(url, tmp_path, every)
