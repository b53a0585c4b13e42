"""Every route that /api/docs does not describe by itself stands in the docs."""

import re
from pathlib import Path

from tests.engines import sqlite_engine
from tests.http.conftest import make_instance
from tests.reference import ROOT

DOCS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))


def test_every_route_outside_the_described_api_stands_in_the_docs(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    app = make_instance(engine).app
    rules = {rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/api/v1/")}
    engine.close()
    assert "/xapi/statements" in rules
    documented = {re.sub(r"<(?:\w+:)?(\w+)>", "{}", rule) for rule in rules}
    known = re.sub(r"\{\w+\}", "{}", DOCS)
    assert not {rule for rule in documented if f"`{rule}`" not in known}
