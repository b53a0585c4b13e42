"""Train the shipped compression dictionary on invented, scrubbed statements.

Run from the project's root: ``python -m benchmarks.train_dictionary``. A dictionary that
was shipped is never trained again under its number: bodies compressed with it need its
very bytes. So this refuses to overwrite; a better one gets the next number.
"""

import random
import sys
from pathlib import Path

import zstandard

from benchmarks.invented import iter_statements, to_text
from lrs.stores.compression import SHIPPED

_BYTES = 64 * 1024
_SAMPLES = 12_000
_TARGET = Path(__file__).parent.parent / "lrs" / "stores" / f"dictionary-{SHIPPED}.zdict"

_IDENTIFYING = frozenset({"id", "registration", "response", "timestamp", "stored", "homePage", "openid"})
_PERSONS = frozenset({"actor", "authority", "instructor", "team", "member"})


def scrub(value: object, key: str = "", inside_person: bool = False) -> object:
    """Empty every leaf that could identify: persons, ids, registrations, responses, extensions.

    What stays is the skeleton and public vocabulary (verbs, types, property names).
    """
    inside = inside_person or key in _PERSONS or key == "extensions"
    if isinstance(value, dict):
        return {name: scrub(item, name, inside) for name, item in value.items()}
    if isinstance(value, list):
        return [scrub(item, key, inside) for item in value]
    if not isinstance(value, str):
        return value
    return _scrub_text(value, key, inside)


def _scrub_text(text: str, key: str, inside: bool) -> str:
    if key == "objectType":
        return text
    if key == "mbox":
        return "mailto:"
    if key == "id" and not text.startswith("https://") and "://" in text:
        return text
    if text.startswith("https://") and key in {"id", "homePage", "openid", "moreInfo"}:
        return "https://"
    return "" if inside or key in _IDENTIFYING else text


def main() -> None:
    """Train and write; fail where the dictionary is there already."""
    if _TARGET.exists():
        sys.exit(f"{_TARGET} exists: kept bodies need its bytes. Give a new dictionary the next number.")
    rng = random.Random(1)
    samples = []
    for statement in iter_statements(_SAMPLES, seed=20):
        clean = scrub(statement)
        assert isinstance(clean, dict)
        samples.append(to_text(rng, clean))
    trained = zstandard.train_dictionary(_BYTES, samples, level=3, dict_id=SHIPPED)
    _TARGET.write_bytes(trained.as_bytes())
    sys.stdout.write(f"{_TARGET.name}: {len(trained.as_bytes())} bytes from {len(samples)} statements\n")


if __name__ == "__main__":
    main()
