"""Every route, with its methods, and every scope stands in docs/http-api.md."""

import re
from pathlib import Path

from lrs.access.model import Scope
from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.reference import ROOT

PAGE = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")


def test_every_route_is_documented_and_no_other(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    served = set()
    for rule in make_instance(engine).app.url_map.iter_rules():
        path = rule.rule
        if path.startswith("/api/v1"):
            path = path.replace("<", "{").replace(">", "}")
        served |= {f"{method} {path}" for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    engine.close()
    assert set(re.findall(r"`((?:GET|PUT|POST|PATCH|DELETE) /[^` ]*)`", PAGE)) == served


def test_every_scope_is_documented() -> None:
    documented = re.findall(r"^\| `([a-z/]+)` \| [a-z]", PAGE, flags=re.MULTILINE)
    assert documented == [scope.value for scope in Scope]
