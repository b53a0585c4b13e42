"""A museum with a spreadsheet that it sends."""

from pathlib import Path
from typing import Any

from lrs.sources.model import Kind
from lrs.sources.setup import SourceWish
from tests.http.conftest import Instance
from tests.unit.connectors.sinks import CONFIG, HEADER

CONF: dict[str, Any] = {
    **CONFIG,
    "name": "workshops",
    "duration": {"column": "Std"},
}
MIA, BO, CY = (
    "03.05.2026;{0};{0}@example.org;;Robots;{1}".format(name, "{}") for name in ("Mia", "Bo", "Cy")
)
Counts = dict[str, int]


class Museum:
    """An instance with one institution, and a spreadsheet that it sends."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.instance = instance
        self.file = folder / "workshops.csv"
        self.key = instance.key("Museum")
        self.handle = instance.access.handle_for_institution_named("Museum")
        self.sources = instance.services.sources

    def send(self, *lines: str, dry: bool = False, **changes: Any) -> Counts:
        self.file.write_text("\n".join([f"{HEADER};Std", *lines]))
        self.instance.clock.move(1)
        wish = SourceWish(Kind.CSV, str(self.file), {**CONF, **changes})
        self.last = self.sources.run(self.handle, wish, is_dry=dry)
        return counts(self.last.run.counts.as_json())

    def replay(self, run: str, **changes: Any) -> Counts:
        self.instance.clock.move(1)
        config = {**CONF, **changes} if changes else None
        return counts(self.sources.replay(self.handle, run, config).run.counts.as_json())

    def undo(self, run: str) -> Counts:
        self.instance.clock.move(1)
        return counts(self.sources.undo(self.handle, run).run.counts.as_json())

    def standing(self) -> dict[str, str]:
        """Who has how long, of the statements that are not voided."""
        return {
            one["actor"]["mbox"]: one["result"]["duration"] for one in self.statements() if "result" in one
        }

    def statements(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.instance.get(self.key, limit="500").get_json()["statements"]
        return found

    def log(self) -> int:
        return len(self.instance.services.log._reader.read(self.handle, 0, 10_000).entries)


def counts(found: dict[str, Any]) -> Counts:
    return {name: number for name, number in found.items() if number}
