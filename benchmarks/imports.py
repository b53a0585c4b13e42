"""Measure ``lrs import``: the real command, on files, into an empty store and then into a full one.

    python -m benchmarks.imports [--files FILE ...] [--count 100000] [--folder FOLDER] [--processes 1 2]

Each file is taken in by a command of its own, one after the other, into the same store; then the
first once more, when everything in it is there already. Without ``--files`` there are four of as many
invented statements (``benchmarks/invented.py``) as ``--count`` says. With several numbers of
processes there is a store for each, and each file goes into one after the other, so that the
machine is the same to all.
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
from lrs.cli.cores import count_cores
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


class Import:
    """The command with one number of processes, into a store of its own."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.store = folder / f"{processes}.db"
        self.processes = processes
        self.held = 0

    def run(self, path: Path) -> None:
        began = time.perf_counter()
        command = [*LRS, "import", "--institution", "Bench", "--processes", str(self.processes), "--json"]
        environ = clean_environ(LRS_STORE=f"sqlite:///{self.store}")
        done = subprocess.run([*command, str(path)], env=environ, stdout=subprocess.PIPE, check=True)
        seconds = time.perf_counter() - began
        told = json.loads(done.stdout)
        say(
            f"{path.name}, processes {self.processes}: {told['read'] / seconds:,.0f} statements/s"
            f" into {self.held:,} in {seconds:.1f} s; {told['stored']:,} stored,"
            f" {told['already']:,} already there, {told['rejected']:,} rejected"
        )
        self.held += told["stored"]


def measure(files: Sequence[Path], folder: Path, processes: Sequence[int]) -> None:
    imports = [Import(folder, number) for number in processes]
    for path in (*files, files[0]):
        for one in imports:
            one.run(path)
    for one in imports:
        size = one.store.stat().st_size / one.held
        say(f"bytes a statement, closed, processes {one.processes}: {size:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, nargs="+", help="files of statements to take in")
    parser.add_argument("--count", type=int, default=100_000, help="invented statements a file")
    parser.add_argument("--folder", help="where the store is made; a temporary folder by default")
    parser.add_argument(
        "--processes",
        type=int,
        nargs="+",
        default=sorted({1, count_cores()}),
        help="of the import; each in turn",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        files = arguments.files or list(make_files(folder, arguments.count))
        measure(files, folder, arguments.processes)


if __name__ == "__main__":
    main()
