"""The Makefile says what it does, and hands its variables on."""

import re
import shutil
import subprocess

import pytest

from tests.reference import ROOT
from tests.server import clean_environ

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str) -> str:
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    environ = {name: value for name, value in clean_environ().items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def test_help_names_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, flags=re.MULTILINE)
    assert phony is not None
    named = make("help")
    assert not {target for target in phony[1].split() if target not in named} - {"help", "clean"}


@pytest.mark.parametrize(
    ("variables", "bind", "demo"),
    [((), "127.0.0.1:8080", "1"), (("PORT=8099", "DEMO=0"), "127.0.0.1:8099", "0")],
)
def test_run_is_told_the_port_and_how_to_begin(variables: tuple[str, ...], bind: str, demo: str) -> None:
    recipe = make("-n", "run", *variables)
    assert f"lrs run --bind '{bind}' $demo" in recipe
    assert f"case '{demo}' in 0|no|false) demo=--no-demo ;;" in recipe


def test_quick_tests_leave_out_what_needs_a_server_a_browser_or_patience() -> None:
    assert "-m 'not mongo_server and not browser and not clients and not lasting and not soak'" in make(
        "-n", "test"
    )
