"""Measure ``lrs import``: the real command, on files, into an empty store and then into a full one.

    python -m benchmarks.imports [--files FILE ...] [--count 100000] [--folder FOLDER]

Each file is taken in by a command of its own, one after the other, into the same store; then the
first once more, when everything in it is there already. Without ``--files`` there are four of as many
invented statements (``benchmarks/invented.py``) as ``--count`` says.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.invented import iter_statements
from tests.server import LRS, clean_environ

FILES = 4


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def make_files(folder: Path, count: int) -> Iterator[Path]:
    """Write invented statements, one a line, as a record store that is left gives them out."""
    for number in range(FILES):
        path = folder / f"{number}.jsonl"
        with path.open("w") as file:
            for statement in iter_statements(count, seed=number + 1):
                file.write(json.dumps(statement) + "\n")
        yield path


def measure(files: Sequence[Path], folder: Path) -> None:
    environ = clean_environ(LRS_STORE=f"sqlite:///{folder}/lrs.db")
    held = 0
    for path in (*files, files[0]):
        began = time.perf_counter()
        command = [*LRS, "import", "--institution", "Bench", "--json", str(path)]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
        seconds = time.perf_counter() - began
        told = json.loads(done.stdout)
        say(
            f"{path.name}: {told['read'] / seconds:,.0f} statements/s into {held:,} in {seconds:.1f} s;"
            f" {told['stored']:,} stored, {told['already']:,} already there, {told['rejected']:,} rejected"
        )
        held += told["stored"]
    say(f"bytes a statement, closed: {(folder / 'lrs.db').stat().st_size / held:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, nargs="+", help="files of statements to take in")
    parser.add_argument("--count", type=int, default=100_000, help="invented statements a file")
    parser.add_argument("--folder", help="where the store is made; a temporary folder by default")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        measure(arguments.files or list(make_files(folder, arguments.count)), folder)


if __name__ == "__main__":
    main()
