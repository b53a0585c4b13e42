"""The published JavaScript clients, as npm brings them into a folder of the user's cache."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.server import RunningServer

PACKAGES = ("@xapi/xapi@3.0.3", "tincanjs@0.50.0")
SCRIPTS = Path(__file__).parent


def run_client(script: str, server: RunningServer, key: str, version: str, **more: str) -> dict[str, Any]:
    """Run a script against a server, with a key, and return what it found."""
    modules = _find_modules()
    username, password = key.split(":")
    told = {"endpoint": f"{server.url}/xapi/", "username": username, "password": password, **more}
    done = subprocess.run(
        ["node", str(SCRIPTS / script)],
        env={**os.environ, "NODE_PATH": str(modules)},
        input=json.dumps({**told, "version": version}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _find_modules() -> Path:
    """Return the folder of the packages: LRS_TEST_CLIENTS, or fetched by npm into the cache."""
    named = os.environ.get("LRS_TEST_CLIENTS")
    if shutil.which("node") is None:
        _skip_or_fail("no Node.js: install Debian's nodejs")
    if named:
        return Path(named)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "lrs-tests" / "-".join(PACKAGES).replace("/", "_")
    if not place.exists():
        _fetch(place)
    return place / "node_modules"


def _fetch(place: Path) -> None:
    if shutil.which("npm") is None:
        _skip_or_fail("no npm: install it, or name a node_modules with both clients in LRS_TEST_CLIENTS")
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:
        command = ["npm", "install", "--prefix", folder, "--no-save", "--no-package-lock", "--no-audit"]
        done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, timeout=100, check=False)
        if done.returncode:
            _skip_or_fail(f"npm could not fetch {' and '.join(PACKAGES)}: {done.stderr[-300:]}")
        made = Path(folder) / "node_modules"
        Path(folder, "whole").mkdir()
        made.rename(Path(folder, "whole", "node_modules"))
        if not place.exists():
            Path(folder, "whole").rename(place)


def _skip_or_fail(reason: str) -> NoReturn:
    """Skip with the reason; fail where everything is required to run."""
    if os.environ.get("LRS_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
