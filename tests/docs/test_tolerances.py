"""Every tolerance stands in the docs, with what it does."""

from lrs.access.model import Tolerance
from tests.reference import ROOT

PAGE = (ROOT / "docs" / "connect.md").read_text(encoding="utf-8")


def test_every_tolerance_is_documented() -> None:
    assert not {name.value for name in Tolerance if f"| `{name.value}` | " not in PAGE}
