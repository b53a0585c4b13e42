"""A program of the operator's is asked about every attachment before anything is kept."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from config.settings import read_settings
from lrs.errors import ConfigError, ScanUnavailable
from lrs.xapi.scanning import AT_ONCE, ProgramScan
from tests.engines import Engine
from tests.factories import make_statement, make_statement_id
from tests.http.conftest import Instance, make_instance
from tests.multipart import MULTIPART, data_part, metadata, multipart

GOOD, BAD = b"a piece of work", b"an EICAR of sorts"
PROGRAM = """
content=$(cat)
case "$content" in
  *EICAR*) echo "found Eicar-Test"; echo more; exit 1 ;;
esac
exit 0
"""


def write(folder: Path, script: str) -> str:
    path = folder / "scan"
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return str(path)


def scanning(engine: Engine, folder: Path, script: str = PROGRAM, seconds: str = "20") -> Instance:
    program = write(folder, script)
    return make_instance(engine, LRS_ATTACHMENT_SCAN=program, LRS_ATTACHMENT_SCAN_SECONDS=seconds)


def send(instance: Instance, key: dict[str, str], *contents: bytes) -> TestResponse:
    statements = [
        make_statement(id=make_statement_id(number), attachments=[metadata(content)])
        for number, content in enumerate(contents, 1)
    ]
    body = multipart(statements, *map(data_part, contents))
    return instance.client.post("/xapi/statements", data=body, headers=key, content_type=MULTIPART)


def kept(instance: Instance, key: dict[str, str]) -> int:
    return len(instance.get(key).get_json()["statements"])


def test_good_attachments_are_kept(sqlite: Engine, tmp_path: Path) -> None:
    instance = scanning(sqlite, tmp_path)
    key = instance.key()
    assert send(instance, key, GOOD, GOOD + b"2").status_code == 200
    assert kept(instance, key) == 2


def test_a_refused_attachment_keeps_the_whole_post_out_and_says_why(sqlite: Engine, tmp_path: Path) -> None:
    instance = scanning(sqlite, tmp_path)
    key = instance.key()
    answer = send(instance, key, GOOD, BAD)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid-attachment")
    (problem,) = answer.get_json()["problems"]
    assert (problem["path"], problem["rule"]) == ("/1/attachments/0", "attachment.refused")
    assert problem["message"].endswith("refused by the scan of this instance: found Eicar-Test.")
    assert answer.get_json()["badIndexes"] == [1]
    assert kept(instance, key) == 0


ENDLESS = "sleep 30; touch $0.ended"


@pytest.mark.parametrize("script", ["exit 2", "exit 127", "kill -9 $$", ENDLESS, f"({ENDLESS}) & wait"])
def test_nothing_is_kept_when_nobody_knows(sqlite: Engine, tmp_path: Path, script: str) -> None:
    instance = scanning(sqlite, tmp_path, script, "1")
    key = instance.key()
    answer = send(instance, key, GOOD)
    assert not (tmp_path / "scan.ended").exists(), "the answer waited for the program"
    assert (answer.status_code, answer.get_json()["code"]) == (500, "scan-unavailable")
    assert "Retry-After" in answer.headers
    assert kept(instance, key) == 0


def test_a_program_that_vanished_is_no_verdict(sqlite: Engine, tmp_path: Path) -> None:
    instance = scanning(sqlite, tmp_path)
    (tmp_path / "scan").unlink()
    assert send(instance, instance.key(), GOOD).status_code == 500


def test_the_program_may_end_without_reading(sqlite: Engine, tmp_path: Path) -> None:
    instance = scanning(sqlite, tmp_path, "exit 0")
    assert send(instance, instance.key(), GOOD * 100_000).status_code == 200


def test_the_program_sees_nothing_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRS_TEST_SECRET", "x")
    assert ProgramScan(write(tmp_path, 'echo "[$LRS_TEST_SECRET]"; exit 1'), 20)(GOOD) == "[]"


def test_a_reason_is_one_short_plain_line(tmp_path: Path) -> None:
    found = ProgramScan(write(tmp_path, "printf '\\033[31m%0500d\\nmore' 7; exit 1"), 20)(GOOD)
    assert found == "[31m" + "0" * 196
    assert ProgramScan(write(tmp_path, "exit 1"), 20)(GOOD) == "no reason was given"


def test_only_so_many_scans_run_at_once(tmp_path: Path) -> None:
    count = "touch $0.run.$$; ls $0.run.* | wc -l >> $0.seen; sleep 0.2; rm $0.run.$$"
    scan = ProgramScan(write(tmp_path, count), 20)
    with ThreadPoolExecutor(2 * AT_ONCE) as pool:
        assert list(pool.map(scan, [GOOD] * 2 * AT_ONCE)) == [None] * 2 * AT_ONCE
    seen = [int(line) for line in (tmp_path / "scan.seen").read_text().split()]
    assert len(seen) == 2 * AT_ONCE
    assert max(seen) <= AT_ONCE


def test_a_scan_that_finds_no_place_is_given_up_and_goes_on_when_there_is_one(tmp_path: Path) -> None:
    scan = ProgramScan(write(tmp_path, "exit 0"), 1)
    for _ in range(AT_ONCE):
        assert scan._places.acquire(timeout=1)
    with pytest.raises(ScanUnavailable, match="Too many"):
        scan(GOOD)
    scan._places.release()
    assert scan(GOOD) is None


@pytest.mark.parametrize("named", ["scan", "/nowhere/scan", "/", __file__])
def test_a_program_that_cannot_be_run_stops_the_start(named: str) -> None:
    with pytest.raises(ConfigError, match="LRS_ATTACHMENT_SCAN"):
        read_settings({"LRS_ATTACHMENT_SCAN": named})
