"""``lrs key`` and ``lrs institution`` as an operator types them."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.server import clean_environ, run_lrs

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
    assert (colon, len(secret), done.stdout.count("\n")) == (":", 43, 1)
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
    assert len(made["secret"]) == 43


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
