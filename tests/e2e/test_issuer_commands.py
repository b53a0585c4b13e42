"""``lrs issuer`` as an operator types it."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.factories import make_statement
from tests.issuers import AUDIENCE, issuing
from tests.server import clean_environ, run_lrs, running_server

pytestmark = pytest.mark.lasting

Run = Callable[..., CompletedProcess[str]]
URL = "https://login.example/realms/harbour"


@pytest.fixture
def lrs(tmp_path: Path) -> Run:
    environ = clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db")
    return lambda *arguments, check=True: run_lrs(*arguments, environ=environ, check=check)


def test_issuer_is_added_listed_and_removed(lrs: Run) -> None:
    lrs("institution", "create", "School")
    wish = ("--institution", "School", "--issuer", URL, "--audience", "lrs")
    made = lrs("issuer", "add", *wish).stdout.strip()
    assert len(made) == 10
    school = json.loads(lrs("institution", "list", "--json").stdout)[0]["id"]
    assert lrs("issuer", "list").stdout == f"{made}\t{school}\t{URL}\tlrs\n"
    assert lrs("issuer", "remove", made).stderr.strip() == f"Issuer {made} is trusted no more."
    assert lrs("issuer", "list").stdout == ""


def test_issuer_is_shown_whole_when_json_is_asked_for(lrs: Run) -> None:
    lrs("institution", "create", "School")
    keys = "https://login.example/keys"
    wish = ("--institution", "School", "--issuer", URL, "--audience", "lrs", "--jwks-url", keys)
    claims = ("--client-claim", "client_id", "--scope-claim", "scp")
    made = json.loads(lrs("issuer", "add", *wish, *claims, "--json").stdout)
    assert (made["issuer"], made["audience"], made["jwksUrl"]) == (URL, "lrs", keys)
    assert (made["clientClaim"], made["scopeClaim"]) == ("client_id", "scp")
    assert json.loads(lrs("issuer", "list", "--institution", "School", "--json").stdout) == [made]


def test_issuer_fails_plainly_when_it_cannot_be_trusted(lrs: Run) -> None:
    nobody = lrs("issuer", "add", "--institution", "X", "--issuer", URL, "--audience", "a", check=False)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no institution of that name" in nobody.stderr
    unknown = lrs("issuer", "remove", "nothing", check=False)
    assert (unknown.returncode, unknown.stderr) == (1, "lrs: There is no such issuer.\n")


def test_token_is_taken_by_every_process_of_a_server_when_its_issuer_is_trusted(tmp_path: Path) -> None:
    with issuing() as issuer:
        allow = {"LRS_OUTBOUND_ALLOW": f"127.0.0.1:{issuer.seen.port}"}
        with running_server(f"sqlite:///{tmp_path}/lrs.db", tmp_path, "--workers", "2", **allow) as server:
            server.make_key("School")
            wish = ("--institution", "School", "--issuer", issuer.url, "--audience", AUDIENCE)
            made = server.lrs("issuer", "add", *wish).stdout.strip()
            headers = {"Authorization": f"Bearer {issuer.token(time.time_ns() // 1000)}"}
            posts = [
                server.call("POST", "/xapi/statements", make_statement(), headers=headers) for _ in range(8)
            ]
            assert {post.status for post in posts} == {200}
            page = server.call("GET", "/xapi/statements", headers=headers).json()
            assert len({one["authority"]["account"]["name"] for one in page["statements"]}) == 1
            server.lrs("issuer", "remove", made)
            ended = server.call("GET", "/xapi/statements", headers=headers)
            assert (ended.status, ended.headers["www-authenticate"][:6]) == (401, "Bearer")
