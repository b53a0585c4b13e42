"""``lrs key`` and ``lrs institution`` as an operator types them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.server import clean_environ, run_lrs

pytestmark = pytest.mark.lasting

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def lrs(tmp_path: Path) -> Run:
    environ = clean_environ(LRS_STORE=f"sqlite:///{tmp_path}/lrs.db")
    return lambda *arguments, check=True: run_lrs(*arguments, environ=environ, check=check)


def make_key(lrs: Run, *options: str) -> str:
    """Make a key; returns its id."""
    made = lrs("key", "create", "--institution", "School", "--scope", "statements/write", *options)
    return made.stdout.partition(":")[0]


def test_rotating_prints_the_new_key_alone_and_says_until_when_the_old_is_good(lrs: Run) -> None:
    old = make_key(lrs, "--rate", "90")
    done = lrs("key", "rotate", old, "--overlap-hours", "1")
    new, colon, secret = done.stdout.strip().partition(":")
    assert (colon, done.stdout.count("\n")) == (":", 1)
    assert len(secret) == 64
    assert f"Key {old} is good until 20" in done.stderr
    kept = {
        one["id"]: one for one in json.loads(lrs("key", "list", "--institution", "School", "--json").stdout)
    }
    assert set(kept) == {old, new}
    assert (kept[old]["replacedBy"], kept[old]["state"]) == (new, "ending")
    assert kept[new]["scopes"] == ["statements/write"]
    assert (kept[new]["ratePerMinute"], kept[new]["state"], kept[new]["expiresAt"]) == (90, "good", None)


def test_rotating_prints_one_json_value_when_asked(lrs: Run) -> None:
    made = json.loads(lrs("key", "rotate", make_key(lrs), "--overlap-hours", "0", "--json").stdout)
    assert made["state"] == "good"
    assert len(made["secret"]) == 64


def test_rotating_fails_plainly_when_there_is_nothing_to_rotate(lrs: Run) -> None:
    unknown = lrs("key", "rotate", "nothing", check=False)
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (1, "", "lrs: There is no such key.\n")
    old = make_key(lrs)
    lrs("key", "rotate", old)
    again = lrs("key", "rotate", old, check=False)
    assert (again.returncode, again.stdout) == (1, "")


def test_a_list_shows_state_expiry_and_last_use_and_warns_of_what_ends(lrs: Run) -> None:
    lasting, ending, revoked = make_key(lrs), make_key(lrs, "--expires-days", "13"), make_key(lrs)
    lrs("key", "revoke", revoked)
    done = lrs("key", "list", "--institution", "School")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in done.stdout.splitlines()}
    assert rows[lasting] == ["statements/write", "good", "no expiry", "never used"]
    assert rows[ending][1] == "ending"
    assert rows[ending][2].startswith("expires 20")
    assert rows[revoked][1].startswith("revoked 20")
    warning = done.stderr.strip()
    assert warning.startswith(f"Key {ending} expires 20")
    assert warning.endswith(f"lrs key rotate {ending}")


def test_a_quota_stops_an_import_that_goes_on_once_it_is_larger(lrs: Run, tmp_path: Path) -> None:
    statement = {
        "actor": {"mbox": "mailto:ada@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
        "object": {"id": "https://example.org/robots"},
    }
    file = tmp_path / "records.ndjson"
    file.write_text((json.dumps(statement) + "\n") * 1200)
    lrs("institution", "create", "School")
    assert lrs("institution", "quota", "School", "--statements", "600").stdout == ""
    stopped = lrs("import", "--institution", "School", str(file), check=False)
    assert (stopped.returncode, stopped.stdout) == (1, "")
    assert "may hold 600 statements and holds 500" in stopped.stderr
    [school] = json.loads(lrs("institution", "list", "--json").stdout)
    counted = [school[name] for name in ("statements", "statementQuota", "quotaPercent", "quotaAlarm")]
    assert counted == [500, 600, 83, True]
    listed = lrs("institution", "list")
    assert listed.stdout == f"{school['id']}\tSchool\n"
    assert listed.stderr == "School holds 500 statements, 83 % of its quota of 600.\n"
    lrs("institution", "quota", "School", "--statements", "0")
    done = json.loads(lrs("import", "--institution", "School", str(file), "--json").stdout)
    assert done == {"read": 1200, "stored": 700, "already": 500, "rejected": 0}


def test_a_quota_is_refused_when_it_or_the_institution_is_none(lrs: Run) -> None:
    lrs("institution", "create", "School")
    assert lrs("institution", "quota", "School", "--statements", "-1", check=False).returncode == 2
    assert lrs("institution", "quota", "School", check=False).returncode == 2
    assert lrs("institution", "quota", "Museum", "--statements", "5", check=False).returncode == 1
