"""The demo city from its records to its transcripts on the scale-out engine, over the wire."""

import json
import os
from pathlib import Path

import pytest

from tests.server import clean_environ, run_lrs

pytestmark = [pytest.mark.mongo_server, pytest.mark.timeout(400)]


def test_the_city_walks_from_record_to_transcript_and_leaves_nothing_when_it_is_taken_away(
    tmp_path: Path, mongo_server_uri: str
) -> None:
    environ = clean_environ(
        LRS_STORE=f"{mongo_server_uri.rstrip('/')}/lrs_demo_{os.getpid()}",
        LRS_SECRET_KEY_FILE=str(tmp_path / "secret.key"),
        LRS_BUSY_SECONDS="60",  # the Java server is slow where others use the machine
    )

    def lrs(*arguments: str) -> str:
        return run_lrs(*arguments, environ=environ).stdout

    said = lrs("demo")
    assert "/portfolio/shared/" in said
    lrs("worker", "--once")
    found = json.loads(lrs("rebuild", "--verify", "--json"))
    assert found["differences"] == 0
    assert min(found[name] for name in ("statements", "evidence", "progress", "completions")) > 0
    out = tmp_path / "transcript.json"
    maple = "mailto:maple.stonequay@post.port-amaris.example"
    lrs("transcript", maple, "--crosswalk", "harbour-2026", "--format", "json", "--out", str(out))
    assert any(line["evidence"] for line in json.loads(out.read_text())["lines"])
    lrs("demo", "--remove")
    assert json.loads(lrs("learner", "list", "--json")) == []
    assert lrs("institution", "list") == ""
