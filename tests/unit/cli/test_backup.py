"""lrs backup, restore and check: files, streams, codes."""

import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from lrs import cli
from tests.contract.backup.making import frames_of, to_archive
from tests.factories import make_statement, make_statement_id


@dataclass
class Done:
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run a command on the store of a name; what is written may be bytes."""

    def run(store: str, *arguments: str) -> Done:
        monkeypatch.setenv("LRS_STORE", f"sqlite:///{tmp_path}/{store}.db")
        monkeypatch.setattr("sys.argv", ["lrs", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfdbinary.readouterr()
        return Done(int(ended.value.code or 0), out, err.decode())

    return run


@pytest.fixture
def key(run: Run, tmp_path: Path) -> str:
    """A key of the store ``a``, which holds two statements."""
    made = run("a", "key", "create", "--institution", "School", "--scope", "all").text.strip()
    lines = tmp_path / "two.ndjson"
    two = [make_statement(id=make_statement_id(n)) for n in (1, 2)]
    lines.write_text("".join(json.dumps(one) + "\n" for one in two))
    assert run("a", "import", "--institution", "School", str(lines)).code == 0
    return made


def test_store_is_there_again_when_its_backup_was_restored(run: Run, key: str, tmp_path: Path) -> None:
    archive = tmp_path / "b" / "one.backup"
    archive.parent.mkdir()
    archive.write_text("an older one")
    done = run("a", "backup", str(archive))
    assert (done.code, done.out) == (0, b"")
    assert "2 statements of 1 institutions" in done.err
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert list(archive.parent.iterdir()) == [archive]
    done = run("b", "restore", str(archive))
    assert (done.code, done.out) == (0, b"")
    assert "Restored 2 statements" in done.err
    listed = [
        json.loads(run(store, "key", "list", "--institution", "School", "--json").out) for store in "ab"
    ]
    assert listed[0] == listed[1]
    assert listed[0][0]["id"] == key.partition(":")[0]


def test_backup_goes_through_a_pipe(
    run: Run, key: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    done = run("a", "backup", "-")
    assert done.code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(done.out)))
    assert run("b", "restore", "-").code == 0
    assert json.loads(run("b", "check", "--json").out) == {"statements": 2, "faults": []}


def test_no_file_is_left_when_something_cannot_be_read(run: Run, key: str, tmp_path: Path) -> None:
    _change(tmp_path / "a.db", "UPDATE stmt SET dict = 77")
    done = run("a", "backup", str(tmp_path / "one.backup"))
    assert (done.code, done.out) == (4, b"")
    assert not list(tmp_path.glob("*one.backup*")) + list(tmp_path.glob(".*.part"))


def test_folder_that_is_not_there_is_said_plainly(run: Run, key: str, tmp_path: Path) -> None:
    done = run("a", "backup", str(tmp_path / "nowhere" / "one.backup"))
    assert done.code == 1
    assert "nowhere" in done.err


@contextmanager
def full_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let standard output be a disk that is full."""
    with Path("/dev/full").open("wb", buffering=0) as full, monkeypatch.context() as patch:
        text = io.TextIOWrapper(full, write_through=True)  # type: ignore[type-var]
        patch.setattr(sys, "stdout", text)
        yield
        text.detach()


def test_full_disk_of_a_backup_is_not_said_of_the_store(
    run: Run, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_output(monkeypatch):
        done = run("a", "backup", "-")
    assert done.code == 1
    assert done.err.endswith("Standard output cannot be written to: No space left on device.\n")


def test_nothing_but_a_file_is_replaced_by_a_backup(run: Run, key: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    done = run("a", "backup", str(pipe))
    assert (done.code, done.out) == (2, b"")
    assert "pipe is no regular file" in done.err
    assert pipe.is_fifo()


def test_backup_goes_to_where_a_link_leads(run: Run, key: str, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link.backup", tmp_path / "there" / "one.backup"
    link.symlink_to(target)
    for _ in range(2):
        assert run("a", "backup", str(link)).code == 0
        assert link.is_symlink()
        assert run("a", "restore", str(target)).code == 1
        assert list(target.parent.iterdir()) == [target]


def test_output_that_takes_nothing_is_said_in_a_sentence(
    run: Run, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_output(monkeypatch):
        done = run("a", "check", "--json")
    assert done.code == 1
    assert done.err.endswith("lrs: No space left on device.\n")


def test_store_that_cannot_be_opened_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("something else" * 100)
    done = run("a", "check")
    assert done.code == 4
    assert done.err.startswith(f"lrs: {tmp_path}/a.db: The database file is damaged or is not one")


def test_store_that_is_not_empty_is_refused(run: Run, key: str, tmp_path: Path) -> None:
    archive = str(tmp_path / "one.backup")
    run("a", "backup", archive)
    done = run("a", "restore", archive)
    assert done.code == 1
    assert "not empty" in done.err
    assert run("a", "check").code == 0


def test_store_refuses_every_command_until_a_restore_went_through(run: Run, key: str, tmp_path: Path) -> None:
    archive = tmp_path / "one.backup"
    run("a", "backup", str(archive))
    half = tmp_path / "half.backup"
    half.write_bytes(to_archive(frames_of(archive.read_bytes())[:-1]))
    done = run("b", "restore", str(half))
    assert done.code == 1
    for command in (("institution", "list"), ("check",), ("backup", "-"), ("serve", "--bind", "127.0.0.1:1")):
        refused = run("b", *command)
        assert (refused.code, refused.out) == (4, b"")
        assert "lrs restore" in refused.err
    assert run("b", "restore", str(archive)).code == 0
    assert run("b", "check").code == 0


def test_each_fault_is_a_line_and_the_code_says_so(run: Run, key: str, tmp_path: Path) -> None:
    assert run("a", "check").out == b""
    _change(tmp_path / "a.db", "DELETE FROM ids")
    done = run("a", "check")
    lines = [line.split("\t") for line in done.text.splitlines()]
    assert done.code == 1
    assert len(lines) == 2
    assert all(kind == "id" and what for kind, _, what in lines)
    assert make_statement_id(1) in lines[0][1]
    found = json.loads(run("a", "check", "--json").out)
    assert [[one["kind"], one["where"], one["what"]] for one in found["faults"]] == lines


def test_file_that_is_not_there_is_wrong_usage(run: Run) -> None:
    assert run("b", "restore", "nothing.backup").code == 2
    assert run("b", "backup").code == 2


def _change(path: Path, statement: str) -> None:
    database = apsw.Connection(str(path))
    database.execute(statement)
    assert database.changes()
    database.close()
