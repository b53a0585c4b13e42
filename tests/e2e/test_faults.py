"""A full disk, a file that is read-only or gone, a clock set back: a real server says so and recovers."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import pytest

from config.settings import read_settings
from lrs.access.model import Scope
from lrs.app import create_app
from lrs.services import Outside, build_services, now_us
from tests.hammer import Client as Connection
from tests.hammer import profile_path, read_log, sid, statement
from tests.server import LRS, Answer, RunningServer, basic, clean_environ, free_port, running_server

pytestmark = pytest.mark.lasting


def post(server: RunningServer, key: str, kind: int, count: int = 1, padding: int = 0) -> Answer:
    noise = {"http://school.example/noise": os.urandom(padding).hex()}
    more = {"context": {"extensions": noise}} if padding else {}
    batch = [statement(sid(kind, n), **more) for n in range(count)]
    return server.call("POST", "/xapi/statements", batch, key=key)


def check_refused(server: RunningServer, answer: Answer) -> None:
    """The one shape of every error, of the 500 class, with when to come back, and an entry in the log."""
    assert answer.status == 500, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    body = answer.json()
    assert (body["status"], body["code"]) == (500, "store-unavailable")
    assert set(body) >= {"type", "title", "detail", "errorId", "problems"}
    assert str(server.store_url.removeprefix("sqlite:///")) not in answer.body.decode()
    assert f"{body['errorId']} store-unavailable" in server.log()


def ids(server: RunningServer, key: str) -> set[str]:
    client = Connection(server.url, key)
    found = [one["id"] for one in read_log(client)]
    client.close()
    assert len(found) == len(set(found))
    return set(found)


def check_sound(server: RunningServer) -> None:
    path = server.store_url.removeprefix("sqlite:///")
    with apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY) as database:
        assert database.execute("PRAGMA integrity_check").get == "ok"


def fill_until_refused(server: RunningServer, key: str) -> tuple[set[str], int]:
    """Post batches that do not compress until one is refused; gives what was acknowledged."""
    kept: set[str] = set()
    for kind in range(2, 500):
        answer = post(server, key, kind, 20, 8_000)
        if answer.status != 200:
            check_refused(server, answer)
            return kept, kind
        kept |= {sid(kind, n) for n in range(20)}
    raise AssertionError("the disk never was full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_is_said_and_writing_goes_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    with running_server(f"sqlite:///{small_disk}/lrs.db", tmp_path, "--workers", "2") as server:
        key = server.make_key("School")
        assert post(server, key, 1).status == 200
        kept, refused = fill_until_refused(server, key)
        check_refused(
            server, server.call("POST", profile_path("p"), {"a": os.urandom(1_000_000).hex()}, key=key)
        )
        assert ids(server, key) == kept | {sid(1, 0)}
        assert server.call("GET", "/readyz").status == 200
        bigger = ["mount", "-o", "remount,size=64m", str(small_disk)]
        subprocess.run(bigger, check=True)
        assert post(server, key, refused, 20).status == 200
        assert server.call("POST", profile_path("p"), {"a": "b"}, key=key).status == 204
        assert ids(server, key) == kept | {sid(1, 0)} | {sid(refused, n) for n in range(20)}
        check_sound(server)


def limit_file_size(server: RunningServer, limit: int) -> None:
    """Let no process of the server make a file longer than this."""
    workers = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    assert workers
    for pid in map(int, workers):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))


def test_file_that_may_not_grow_is_said_and_writing_goes_on_when_it_may(tmp_path: Path) -> None:
    with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path) as server:
        key = server.make_key("School")
        assert post(server, key, 1).status == 200
        limit_file_size(server, max(file.stat().st_size for file in tmp_path.iterdir()) + 100_000)
        kept, refused = fill_until_refused(server, key)
        assert ids(server, key) == kept | {sid(1, 0)}
        limit_file_size(server, resource.RLIM_INFINITY)
        assert post(server, key, refused, 20).status == 200
        assert ids(server, key) == kept | {sid(1, 0)} | {sid(refused, n) for n in range(20)}
        check_sound(server)


def make_read_only(store: Path, how: str, *, locked: bool) -> None:
    """Let nobody write the store's files any more, or let them again, while a server has them open.

    By their mode anybody can do that to files of their own: open ones are still written, so the server
    must look. That the system itself refuses what is open already takes a file that is immutable, which
    only root may make, on file systems that know of it.
    """
    files = [str(file) for file in store.iterdir()]
    changes = {"mode": ["chmod", "a-w" if locked else "u+w"], "kernel": ["chattr", "+i" if locked else "-i"]}
    if shutil.which(changes[how][0]) is None:
        pytest.skip(f"there is no {changes[how][0]} here")
    done = subprocess.run([*changes[how], *files], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this user may not make files immutable here: {done.stderr}")


def checkpoint(store: Path) -> None:
    """Do all that the server's next checkpoint could, so that it finds nothing to do."""
    with closing(apsw.Connection(f"{store}/lrs.db")) as database:
        while True:
            with suppress(apsw.BusyError):
                database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                return
            time.sleep(0.01)


@pytest.fixture
def held_snapshot(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Begin to read what the store holds, and hold that until the test is over: the WAL cannot be emptied."""
    held: list[apsw.Connection] = []

    def hold() -> None:
        held.append(apsw.Connection(f"{tmp_path}/store/lrs.db", flags=apsw.SQLITE_OPEN_READONLY))
        held[0].execute("BEGIN; SELECT count(*) FROM stmt").fetchall()

    yield hold
    for connection in held:
        connection.close()


@pytest.mark.parametrize(("how", "read_meanwhile"), [("mode", False), ("kernel", False), ("kernel", True)])
def test_file_that_becomes_read_only_is_said_and_read_from_until_it_may_be_written(
    tmp_path: Path, held_snapshot: Callable[[], None], how: str, read_meanwhile: bool
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    with running_server(f"sqlite:///{store}/lrs.db", tmp_path, "--workers", "2") as server:
        key, unused = server.make_key("School"), server.make_key("School")
        if read_meanwhile:
            held_snapshot()
        assert post(server, key, 1).status == 200
        # With nothing left to bring into the file, all that was written into mapped files goes to the disk:
        # from then on the system asks anew whether they may be written, and kills who may not.
        checkpoint(store)
        os.sync()
        make_read_only(store, how, locked=True)
        try:
            for kind in range(2, 8):
                check_refused(server, post(server, key, kind))
                assert ids(server, key) == ids(server, unused) == {sid(1, 0)}
            check_refused(server, server.call("POST", profile_path("p"), {"a": "b"}, key=key))
            assert server.call("GET", "/readyz").status == 200
        finally:
            make_read_only(store, how, locked=False)
        assert post(server, key, 2).status == 200
        assert ids(server, key) == {sid(1, 0), sid(2, 0)}
        assert server.log().count("Spawning worker") == 2
    check_sound(server)


def test_file_that_was_moved_away_takes_nothing_until_it_is_back(tmp_path: Path) -> None:
    store, away = tmp_path / "store", tmp_path / "away"
    store.mkdir()
    with running_server(f"sqlite:///{store}/lrs.db", tmp_path, "--workers", "2") as server:
        key = server.make_key("School")
        assert post(server, key, 1).status == 200
        store.rename(away)
        for kind in range(2, 8):
            check_refused(server, post(server, key, kind))
        assert server.call("GET", "/readyz").status == 503
        assert server.call("GET", "/healthz").status == 200
        away.rename(store)
        assert server.call("GET", "/readyz").status == 200
        assert ids(server, key) == {sid(1, 0)}
        assert post(server, key, 2).status == 200
        assert ids(server, key) == {sid(1, 0), sid(2, 0)}
        check_sound(server)


def test_nothing_is_acknowledged_when_the_file_was_removed_or_replaced(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    path = store / "lrs.db"
    with running_server(f"sqlite:///{path}", tmp_path) as server:
        key = server.make_key("School")
        assert post(server, key, 1).status == 200
        kept = {file: file.read_bytes() for file in store.iterdir()}
        for file in kept:
            file.unlink()
        check_refused(server, post(server, key, 2))
        for file, content in kept.items():
            file.write_bytes(content)
        check_refused(server, post(server, key, 3))
        server.stop()
    with running_server(f"sqlite:///{path}", tmp_path) as server:
        assert ids(server, key) == {sid(1, 0)}
        assert post(server, key, 2).status == 200


def test_clock_that_was_set_back_changes_no_order(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lrs.db"
    key = post_an_hour_ahead(url, sid(9, 9))
    with running_server(url, tmp_path, "--workers", "2") as server:
        for kind in range(3):
            answer = post(server, key, kind, 5)
            assert answer.status == 200, answer.body
        client = Connection(server.url, key)
        log = read_log(client)
        assert [one["id"] for one in log] == [sid(9, 9), *(sid(k, n) for k in range(3) for n in range(5))]
        stored = [one["stored"] for one in log]
        assert stored == sorted(set(stored))
        page = client.call("GET", f"/xapi/statements?since={stored[0]}&ascending=true")
        assert page.headers["x-experience-api-consistent-through"] >= stored[-1]
        assert [one["id"] for one in page.json()["statements"]] == [one["id"] for one in log[1:]]
        client.close()
        assert "unforeseen" not in server.log()


def post_an_hour_ahead(url: str, id_: str) -> str:
    """Store one statement by a clock that is an hour ahead; gives the key that it made for that."""
    settings = read_settings({"LRS_STORE": url, "LRS_PUBLIC_URL": "http://127.0.0.1"})
    services = build_services(settings, Outside(clock=lambda: now_us() + 3_600_000_000))
    made = services.access.create_key("School", None, (Scope.ALL,))
    key = f"{made.key.id}:{made.secret}"
    headers = {"Authorization": basic(key), "X-Experience-API-Version": "1.0.3"}
    client = create_app(settings, services).test_client()
    assert client.post("/xapi/statements", json=statement(id_), headers=headers).status_code == 200
    services.close()
    return key


def bound_by_modes(store: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to which the modes of files mean something, also where the user is root."""
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    return subprocess.run(
        [*as_others, *LRS, *arguments],
        env=clean_environ(LRS_STORE=f"sqlite:///{store}", LRS_PUBLIC_URL="http://127.0.0.1:8080"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(os.getuid() == 0 and shutil.which("setpriv") is None, reason="root is not bound by modes")
@pytest.mark.parametrize("locked", ["file", "folder"])
def test_read_only_file_or_folder_is_said_at_the_start_and_harms_nothing(tmp_path: Path, locked: str) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    store = folder / "lrs.db"
    made = bound_by_modes(store, "key", "create", "--institution", "School", "--scope", "all")
    assert made.returncode == 0, made.stderr
    if locked == "file":
        store.chmod(0o444)
    else:
        for path in {*folder.iterdir()} - {store}:
            path.unlink()
        folder.chmod(0o555)
    before = store.read_bytes()
    refused = bound_by_modes(store, "serve", "--bind", f"127.0.0.1:{free_port()}")
    assert refused.returncode == 4, refused.stderr
    assert "Traceback" not in refused.stderr
    assert "cannot be used" in refused.stderr
    assert store.read_bytes() == before
    folder.chmod(0o755)
    store.chmod(0o644)
    listed = bound_by_modes(store, "key", "list", "--institution", "School")
    assert listed.returncode == 0, listed.stderr
    assert made.stdout.partition(":")[0] in listed.stdout
