"""Workers as real processes: killed, paused, two at once, asked to end; and the commands beside them."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.settings import read_settings
from lrs.access.model import Scope
from lrs.services import Outside, Services, build_services
from lrs.streams.model import Kind
from lrs.streams.service import Wish
from lrs.xapi.attachments import SentBody
from lrs.xapi.log import LogEntry, LogReader, StatementFilter
from lrs.xapi.multipart import Part, write_multipart
from lrs.xapi.versions import Version
from tests.http.conftest import basic
from tests.http.posting import GOOD
from tests.receiver import Received, Receiver, running_receiver
from tests.server import LRS, clean_environ, run_lrs, running_server, stop_process

pytestmark = pytest.mark.lasting

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
SHORT = [sys.executable, "-m", "tests.e2e.short_worker"]


class Store:
    """A store of this test, with one institution that sends on, and what to do with it."""

    def __init__(self, folder: Path) -> None:
        self.environ = clean_environ(
            LRS_STORE=f"sqlite:///{folder}/lrs.db", LRS_OUTBOUND_ALLOW="127.0.0.1", LRS_LOG_LEVEL="warning"
        )
        names = {name: value for name, value in self.environ.items() if name.startswith("LRS_")}
        self.services: Services = build_services(read_settings(names), Outside(durable=False))
        made = self.services.access.create_key("School", None, [Scope.ALL])
        headers = basic(made.key.id, made.secret)
        self.caller = self.services.access.authenticate(headers["Authorization"])
        assert self.caller.handle is not None
        self.handle = self.caller.handle

    def post(self, count: int) -> list[str]:
        body = SentBody(json.dumps([GOOD] * count).encode())
        return list(self.services.statements.post(self.caller, body, Version.V1_0_3).ids)

    def post_all(
        self, statements: list[Any], version: Version = Version.V1_0_3, attachment: bytes | None = None
    ) -> list[str]:
        parts = [Part({"Content-Type": "application/json"}, json.dumps(statements).encode())]
        if attachment is None:
            return list(self.services.statements.post(self.caller, SentBody(parts[0].content), version).ids)
        sha2 = hashlib.sha256(attachment).hexdigest()
        headers = {"Content-Type": "text/plain", "Content-Transfer-Encoding": "binary"}
        parts.append(Part({**headers, "X-Experience-API-Hash": sha2}, attachment))
        body, boundary = write_multipart(parts, lambda: "x7d0c1")
        return list(self.services.statements.post(self.caller, SentBody(body, boundary), version).ids)

    def post_with_attachment(self, content: bytes) -> list[str]:
        attachment = {
            "usageType": "https://example.org/essay",
            "display": {"en": "Essay"},
            "contentType": "text/plain",
            "length": len(content),
            "sha2": hashlib.sha256(content).hexdigest(),
        }
        return self.post_all([{**GOOD, "attachments": [attachment]}], attachment=content)

    def post_second_version(self) -> list[str]:
        context = {
            "contextAgents": [{"objectType": "contextAgent", "agent": {"mbox": "mailto:bo@example.org"}}]
        }
        return self.post_all([{**GOOD, "context": context}], Version.V2_0_0)

    def log(self) -> list[LogEntry]:
        reader = LogReader(self.services.stores.records, lambda: "x", 1)
        return list(reader.read(self.handle, 0, 1000).entries)

    def add(self, url: str) -> str:
        wish = Wish("There", Kind.FORWARD, url, StatementFilter(), "a:b")
        return self.services.destinations.add(self.handle, wish).destination.id

    def lrs(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_lrs(*arguments, environ=self.environ, check=check)

    @contextmanager
    def worker(self, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen(
            command, env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
            stop_process(process)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.services.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as made:
        yield made


def wait_until(what: Callable[[], Any], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def first_times(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def test_batch_is_sent_twice_and_nothing_lost_when_a_worker_is_killed_after_sending(
    store: Store, receiver: Receiver
) -> None:
    store.add(receiver.url)
    ids = store.post(120)

    def kill_after_the_second(received: Received) -> int:
        if len(receiver.received) == 2:
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        return 200

    receiver.answer = kill_after_the_second
    with store.worker(SHORT) as first:
        wait_until(lambda: first.poll() is not None)
        assert first.returncode == -signal.SIGKILL
        assert receiver.ids() == ids[:100]
    with store.worker(SHORT):
        wait_until(lambda: set(receiver.ids()) == set(ids))
        wait_until(lambda: not store.services.jobs.get("deliver").is_due)
    assert first_times(receiver.ids()) == ids
    assert receiver.ids() == [*ids[:100], *ids[50:]]
    outcomes = [run.outcome.value for run in store.services.jobs.history("deliver")]
    assert "abandoned" in outcomes


@pytest.mark.lasting
def test_paused_worker_is_fenced_when_another_took_over(store: Store, receiver: Receiver) -> None:
    store.add(receiver.url)
    ids = store.post(120)

    def pause_at_the_second(received: Received) -> int:
        if len(receiver.received) == 2:
            os.kill(first.pid, signal.SIGSTOP)
        return 200

    receiver.answer = pause_at_the_second
    with store.worker(SHORT) as first:
        wait_until(lambda: len(receiver.received) == 2)
        with store.worker(SHORT) as second:
            wait_until(lambda: set(receiver.ids()) == set(ids))
            more = store.post(10)
            wait_until(lambda: set(receiver.ids()) == {*ids, *more})
            os.kill(first.pid, signal.SIGCONT)
            wait_until(
                lambda: (
                    "lost" in {run.outcome.value for run in store.services.jobs.history("deliver")}
                    or not store.services.jobs.get("deliver").is_due
                )
            )
            ids += more + store.post(5)
            wait_until(lambda: set(receiver.ids()) == set(ids))
            assert first_times(receiver.ids()) == ids
            assert stop_process(second) == 0
        assert stop_process(first) == 0


def test_each_statement_is_sent_once_when_two_workers_run(store: Store, receiver: Receiver) -> None:
    store.add(receiver.url)
    worker = [*LRS, "worker"]
    with store.worker(worker) as first, store.worker(worker) as second:
        ids = []
        for _ in range(20):
            ids += store.post(7)
            time.sleep(0.2)
        wait_until(lambda: len(receiver.ids()) >= len(ids))
        assert receiver.ids() == ids
        assert [stop_process(one) for one in (first, second)] == [0, 0]
    assert receiver.ids() == ids


@pytest.mark.lasting
def test_commands_show_test_send_and_replay(store: Store, receiver: Receiver) -> None:
    made = store.lrs(
        *("destination", "add", "--institution", "School", "--name", "Hook", "--kind", "webhook"),
        *("--url", receiver.url, "--json"),
    )
    hook = json.loads(made.stdout)
    assert hook["secret"].startswith("whsec_")
    assert json.loads(store.lrs("destination", "test", hook["id"], "--json").stdout)["ok"] is True
    (listed,) = json.loads(store.lrs("destination", "list", "--json").stdout)
    assert (listed["name"], listed["institution"], listed["sent"]) == ("Hook", "School", 0)
    (id_,) = store.post(1)
    receiver.answer = lambda received: 422
    wait_until(
        lambda: store.lrs("worker", "--once") and store.services.jobs.history("deliver")[0].report.read
    )
    wait_until(
        lambda: (
            store.lrs("worker", "--once")
            and json.loads(store.lrs("outbox", "list", "--json").stdout)[0]["letters"]
        )
    )
    (outbox,) = json.loads(store.lrs("outbox", "list", "--json").stdout)
    assert [letter["id"] for letter in outbox["letters"]] == [f"{hook['id']}:{id_}"]
    assert f"{hook['id']}:{id_}" in store.lrs("outbox", "list").stdout
    receiver.answer = lambda received: 200
    replayed = store.lrs("outbox", "replay", f"{hook['id']}:{id_}", "--json")
    assert json.loads(replayed.stdout) == {"letters": 1}
    store.lrs("worker", "--once")
    assert receiver.ids() == [id_]
    (outbox,) = json.loads(store.lrs("outbox", "list", "--json").stdout)
    assert outbox["letters"] == []
    runs = json.loads(store.lrs("jobs", "history", "--json").stdout)
    assert {"tick", "derive", "deliver"} <= {run["job"] for run in runs}
    listed = {job["name"]: job for job in json.loads(store.lrs("jobs", "list", "--json").stdout)}
    assert (listed["deliver"]["running"], listed["deliver"]["due"]) == (False, False)
    assert json.loads(store.lrs("jobs", "run", "deliver", "--json").stdout)["outcome"] == "done"
    assert store.lrs("jobs", "run", "nothing", check=False).returncode == 1
    store.lrs("destination", "rotate", hook["id"])
    store.lrs("destination", "remove", hook["id"])
    assert json.loads(store.lrs("destination", "list", "--json").stdout) == []


@pytest.mark.parametrize("command", [["worker"], ["worker", "--once"], ["jobs", "run", "deliver"]])
def test_lease_is_given_back_when_a_busy_worker_is_asked_to_end(
    store: Store, receiver: Receiver, command: list[str]
) -> None:
    store.add(receiver.url)
    ids = store.post(150)

    def end_at_the_first(received: Received) -> int:
        if len(receiver.received) == 1:
            os.kill(first.pid, signal.SIGTERM)
            time.sleep(0.5)
        return 200

    receiver.answer = end_at_the_first
    with store.worker([*LRS, *command]) as first:
        assert first.wait(20) == 0
    assert receiver.ids() == ids[:50]
    assert store.services.jobs.get("deliver").state.until_us == 0
    assert store.services.jobs.history("deliver")[0].outcome.value == "stopped"
    store.lrs("worker", "--once")
    assert receiver.ids() == ids


def test_key_file_is_made_for_its_owner_alone_and_said_so(store: Store, tmp_path: Path) -> None:
    done = store.lrs(
        *("destination", "add", "--institution", "School", "--name", "Hook", "--kind", "webhook"),
        *("--url", "https://hook.example.org"),
    )
    key = tmp_path / "lrs.db-key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "lrs.db-key" in done.stderr
    assert "\twhsec_" in done.stdout


def test_another_record_store_has_the_same_statements_when_they_were_forwarded(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with running_server(f"sqlite:///{tmp_path}/other/lrs.db", tmp_path) as other:
        key = other.make_key("Region")
        wish = Wish("Region", Kind.FORWARD, f"{other.url}/xapi", StatementFilter(), key)
        made = store.services.destinations.add(store.handle, wish).destination
        assert store.services.destinations.test(store.handle, made.id).status == 200
        ids = [*store.post(60), *store.post_with_attachment(b"An essay."), *store.post_second_version()]
        void = {**GOOD, "verb": {"id": VOIDED}, "object": {"objectType": "StatementRef", "id": ids[0]}}
        ids += store.post_all([void])
        store.lrs("worker", "--once")
        (stands,) = store.services.destinations.list(store.handle)
        assert (stands.delivery.reason, stands.delivery.sent, stands.letters) == ("", len(ids), 0)
        log = other.call("GET", "/api/v1/log?limit=1000", key=key, version=None).body.splitlines()
        there = [json.loads(line)["statement"] for line in log[:-1]]
        here = [json.loads(entry.text) for entry in store.log()]
        for one in (*there, *here):
            del one["stored"], one["authority"]
        assert there == here
        page = other.call("GET", f"/xapi/statements?statementId={ids[60]}&attachments=true", key=key)
        assert b"An essay." in page.body
        assert other.call("GET", f"/xapi/statements?voidedStatementId={ids[0]}", key=key).status == 200
