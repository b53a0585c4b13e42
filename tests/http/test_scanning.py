"""A program of the operator's is asked about every attachment before anything is kept."""

import time
from pathlib import Path
from threading import Thread

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


@pytest.mark.parametrize("script", ["exit 2", "exit 127", "kill -9 $$", "sleep 30", "sleep 30 & wait"])
def test_nothing_is_kept_when_nobody_knows(sqlite: Engine, tmp_path: Path, script: str) -> None:
    instance = scanning(sqlite, tmp_path, script, "1")
    key = instance.key()
    began = time.monotonic()
    answer = send(instance, key, GOOD)
    assert time.monotonic() - began < 10
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


def test_more_scans_than_may_run_wait_no_longer_than_one_may_take(tmp_path: Path) -> None:
    scan = ProgramScan(write(tmp_path, "sleep 3; exit 0"), 1)
    failed: list[str] = []

    def ask() -> None:
        try:
            scan(GOOD)
        except ScanUnavailable as error:
            failed.append(error.detail)

    began = time.monotonic()
    threads = [Thread(target=ask) for _ in range(AT_ONCE + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == AT_ONCE + 1
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("named", ["scan", "/nowhere/scan", "/", __file__])
def test_a_program_that_cannot_be_run_stops_the_start(named: str) -> None:
    with pytest.raises(ConfigError, match="LRS_ATTACHMENT_SCAN"):
        read_settings({"LRS_ATTACHMENT_SCAN": named})
