"""What a wheel installs is complete: build one, install it apart, and work from it in an empty folder."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.factories import make_statement, make_statement_id
from tests.reference import ROOT
from tests.server import RunningServer, free_port, stop_process, wait_until_healthy

pytestmark = pytest.mark.lasting

DATA = (".css", ".html", ".json", ".svg", ".zdict", ".typ", ".mo", ".csv", ".ndjson")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from what git knows, so that leftovers of this checkout cannot help."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    files = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--wheel-dir", str(folder)]
    run(sys.executable, "-m", "pip", "wheel", *options, str(source), cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a fresh environment that has this wheel and sees our libraries."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", str(home), cwd=home.parent)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = home / "lib" / version / "site-packages"
    options = ["--no-deps", "--no-index", "--quiet", "--prefix", str(home)]
    run(sys.executable, "-m", "pip", "install", *options, "--ignore-installed", str(wheel), cwd=home.parent)
    # Behind the wheel on the path, and without the .pth files that would bring this checkout in.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = (home / "bin" / "lrs").read_text()
    (home / "bin" / "lrs").write_text(script.replace(sys.executable, str(home / "bin" / "python"), 1))
    return home / "bin"


def run(*command: str, cwd: Path, environ: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environ or bare_environ(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
    return done.stdout


def bare_environ(**variables: str) -> dict[str, str]:
    hidden = ("LRS_", "PYTHONPATH", "PYTHONHOME")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(hidden)}, **variables}


def test_every_data_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("lrs", "profiles", "connectors", "config")
        for path in (ROOT / package).rglob("*")
        if path.suffix in (*DATA, ".py")
    }
    assert wanted - held == set()
    assert "wsgi.py" in held
    assert not [name for name in held if name.startswith(("tests/", "benchmarks/"))]


def test_a_statement_goes_in_and_comes_out_when_only_the_wheel_is_installed(
    installed: Path, tmp_path: Path
) -> None:
    port = free_port()
    environ = bare_environ(LRS_PUBLIC_URL=f"http://127.0.0.1:{port}")
    lrs = str(installed / "lrs")
    where = run(str(installed / "python"), "-c", "import lrs; print(lrs.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    key = run(lrs, "key", "create", "--institution", "School", "--scope", "all", cwd=tmp_path).strip()
    log_path = tmp_path / "server.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [lrs, "serve", "--bind", f"127.0.0.1:{port}"],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = RunningServer(f"http://127.0.0.1:{port}", "", environ, process, log_path)
    try:
        wait_until_healthy(server.url, process, log_path)
        statement = make_statement(id=make_statement_id(1))
        posted = server.call("POST", "/xapi/statements", statement, key=key)
        assert (posted.status, posted.json()) == (200, [make_statement_id(1)]), posted.body
        got = server.call("GET", f"/xapi/statements?statementId={make_statement_id(1)}", key=key)
        assert statement.items() <= got.json().items()
        assert server.call("GET", "/api/docs").status == 200
    finally:
        stop_process(process)
    assert (tmp_path / "data" / "lrs.db").exists()
