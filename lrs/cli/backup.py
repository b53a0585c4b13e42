"""``lrs backup``, ``lrs restore`` and ``lrs check``: everything that is kept, out, in, and looked at.

Exit codes are those of every command; ``lrs check`` ends with 1 where something is wrong.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO, cast

import click

from config.settings import read_settings
from lrs import __version__
from lrs.cli.progress import Progress
from lrs.clock import to_text
from lrs.services import Services, build_services
from lrs.stores import StoreOptions, Stores, open_stores
from lrs.stores.backup import Made, Restored, read_backup, write_backup
from lrs.stores.moving import Fault

STREAM = "-"
EXIT_FAULTS = 1


@click.command("backup")
@click.argument("out", type=click.Path(dir_okay=False))
def backup(out: str) -> None:
    """Write everything that the store keeps into the file OUT; - writes to standard output.

    Servers may go on writing meanwhile. The file appears under its name when it is whole.
    """
    services = build_services(read_settings())
    try:
        with _output(out) as stream:
            progress = Progress(_count(services.stores))
            made = Made(services.outside.clock(), __version__)
            trailer = write_backup(services.stores, stream, made, lambda done: progress.show(done, done))
    finally:
        services.close()
    progress.clear()
    click.echo(
        f"Backed up {sum(log.statements for log in trailer.logs.values()):,} statements"
        f" of {trailer.records.get('institutions', 0):,} institutions in {progress.seconds:.1f} s."
        " The archive holds records and the hashes of keys: keep it as you keep the store.",
        err=True,
    )


@click.command("restore")
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def restore(source: str) -> None:
    """Fill an empty store from the backup IN; - reads from standard input.

    The store is served when all of it is there. After a restore that was broken off it is
    served by nobody, and the same command begins anew.
    """

    def open_restoring(options: StoreOptions) -> Stores:
        return open_stores(settings.store, replace(options, restoring=True))

    settings = read_settings()
    services = build_services(settings, open_store=open_restoring)
    try:
        restored = _restore(services, source)
    finally:
        services.close()
    erased = f" {restored.erased:,} records had been erased from it." if restored.erased else ""
    click.echo(
        f"Restored {restored.statements:,} statements from the backup of"
        f" {to_text(restored.made_at_us)}.{erased}",
        err=True,
    )


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def check(as_json: bool) -> int:
    """Look at everything that is kept, and say what is wrong and where.

    Servers may go on writing meanwhile. Ends with code 1 where something is wrong.
    """
    services = build_services(read_settings())
    found: list[Fault] = []
    try:
        progress = Progress(_count(services.stores))
        looked = 0
        for one in services.stores.iter_faults():
            if isinstance(one, Fault):
                found.append(one)
                _show_fault(one, progress, as_json)
            else:
                looked += one.statements
                progress.show(looked, looked)
    finally:
        services.close()
    progress.clear()
    if as_json:
        click.echo(json.dumps({"statements": looked, "faults": [asdict(one) for one in found]}))
    click.echo(f"Checked {looked:,} statements: {len(found) or 'no'} faults.", err=True)
    return EXIT_FAULTS if found else 0


def _show_fault(fault: Fault, progress: Progress, as_json: bool) -> None:
    if not as_json:
        progress.clear()
        click.echo(f"{fault.kind}\t{fault.where}\t{fault.what}")


def _restore(services: Services, source: str) -> Restored:
    progress = Progress(1)

    def show(done: int, total: int) -> None:
        progress.total = max(total, 1)
        progress.show(done, done)

    with _input(source) as stream:
        restored = read_backup(services.stores, stream, show)
    progress.clear()
    return restored


def _count(stores: Stores) -> int:
    with stores.open_dump() as dump:
        return sum(dump.count_statements().values())


@contextmanager
def _input(source: str) -> Iterator[BinaryIO]:
    if source == STREAM:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as stream:
        yield stream


@contextmanager
def _output(out: str) -> Iterator[BinaryIO]:
    """Give a stream that becomes the file only when everything has been written."""
    if out == STREAM:
        if sys.stdout.isatty():
            raise click.UsageError("A backup is no text for a terminal; name a file, or redirect the output.")
        with _telling("Standard output"):
            yield _told(sys.stdout.buffer, "Standard output")
            sys.stdout.buffer.flush()
        return
    path = Path(out).resolve()
    if path.exists() and not path.is_file():
        raise click.UsageError(f"{out} is no regular file; name one, or - for standard output.")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise click.ClickException(f"{path.parent} cannot be written to: {error.strerror}.") from error
    try:
        with _telling(out), os.fdopen(descriptor, "wb") as stream:
            yield _told(stream, out)
            stream.flush()
            os.fsync(stream.fileno())
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


class _Target:
    """Passes on what is written.

    What is refused is said of the target at once: further out it would be taken for the store's own trouble.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, data: bytes) -> int:
        with _telling(self._name):
            return self._stream.write(data)

    def flush(self) -> None:
        with _telling(self._name):
            self._stream.flush()


def _told(stream: BinaryIO, name: str) -> BinaryIO:
    return cast("BinaryIO", _Target(stream, name))


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written to: {error.strerror}.") from error


def _sync_folder(folder: Path) -> None:
    """Have the disk keep the new name too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def register(group: click.Group) -> None:
    """Add the commands to the group."""
    group.add_command(backup)
    group.add_command(restore)
    group.add_command(check)
