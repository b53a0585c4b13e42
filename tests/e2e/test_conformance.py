"""The ADL conformance suite against a running server, both versions, each engine: ``make soak``.

``LRS_ADL_SUITE_DIR`` names a checkout of adlnet/lrs-conformance-test-suite with its modules
installed. Its exit code says nothing (failures modulo 256), so the log that it writes is read.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.server import RunningServer, running_server

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

TOTALS = {"1.0.3": 1365, "2.0.0": 1442}
LIMIT_SECONDS = 1200  # some of its tests have no limit of their own


@pytest.fixture
def suite() -> Path:
    named = os.environ.get("LRS_ADL_SUITE_DIR")
    if not named or shutil.which("node") is None:
        pytest.skip("LRS_ADL_SUITE_DIR names no conformance suite, or node is not here")
    return Path(named)


def run_suite(suite: Path, server: RunningServer, version: str) -> dict[str, Any]:
    """Run it to its end and return its log; interrupted when it hangs, it writes a partial one."""
    user, password = server.make_key("Conformance", "--default-version", version).split(":")
    command = ["node", "bin/console_runner.js", "-e", f"{server.url}/xapi", "-a", "-u", user, "-p", password]
    process = subprocess.Popen(
        [*command, "-x", version, "-z"],
        cwd=suite,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    written = re.search(r"Full run log written to (\S+)", output)
    assert written is not None, output[-3000:]
    log: dict[str, Any] = json.loads(Path(written[1]).read_text())
    return log


def failures(part: Any) -> list[str]:
    """The titles of the failed tests at the leaves of a log."""
    if not isinstance(part, dict) or part.get("status") == "passed":
        return []
    below = [title for one in part.get("tests") or [] for title in failures(one)]
    return below or [f"{part.get('title') or part.get('name')}: {str(part.get('error'))[:300]}"]


def check(suite: Path, store_url: str, folder: Path, version: str) -> None:
    with running_server(store_url, folder, "--workers", "2", "--default-version", version) as server:
        server.call("GET", "/xapi/about")
        log = run_suite(suite, server, version)
    summary = log["summary"]
    assert log["state"] == "finished", summary
    assert summary["passed"] == summary["total"] == TOTALS[version], "\n".join(failures(log.get("log")))


@pytest.mark.parametrize("version", TOTALS)
def test_suite_passes_in_full_on_sqlite(suite: Path, tmp_path: Path, version: str) -> None:
    check(suite, f"sqlite:///{tmp_path}/lrs.db", tmp_path, version)


@pytest.mark.mongo_server
@pytest.mark.parametrize("version", TOTALS)
def test_suite_passes_in_full_on_mongodb(
    suite: Path, tmp_path: Path, version: str, mongo_server_uri: str
) -> None:
    name = f"lrs_adl_{os.getpid()}_{version.replace('.', '_')}"
    check(suite, f"{mongo_server_uri.rstrip('/')}/{name}", tmp_path, version)
