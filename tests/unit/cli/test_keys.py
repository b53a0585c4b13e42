"""lrs institution, key and sign-in: what stands on standard output, and with which code it ends."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.settings import read_settings
from lrs import cli
from lrs.access.model import Scope
from lrs.services import build_services


@dataclass
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on an empty store of its own."""
    monkeypatch.setenv("LRS_STORE", f"sqlite:///{tmp_path}/lrs.db")
    monkeypatch.setenv("LRS_PUBLIC_URL", "https://lrs.example.org")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr("sys.argv", ["lrs", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


def scopes_of(key: str) -> frozenset[Scope]:
    services = build_services(read_settings())
    try:
        return services.access.authenticate("Basic " + base64.b64encode(key.encode()).decode()).scopes
    finally:
        services.close()


def test_a_key_that_works_stands_alone_on_standard_output_when_the_store_was_empty(run: Run) -> None:
    done = run("key", "create", "--institution", "Museum", "--scope", "all")
    assert done.code == 0
    assert done.out.count("\n") == 1
    assert scopes_of(done.out.strip()) == {Scope.ALL}


def test_several_scopes_are_taken(run: Run) -> None:
    scopes = ("--scope", "statements/write", "--scope", "statements/read/mine")
    done = run("key", "create", "--institution", "Museum", "--client", "Door", *scopes)
    assert scopes_of(done.out.strip()) == {Scope.STATEMENTS_WRITE, Scope.STATEMENTS_READ_MINE}


def test_json_is_one_value_and_nothing_else(run: Run) -> None:
    options = ("--default-version", "2.0.0", "--expires-days", "3", "--json")
    made = json.loads(run("key", "create", "--institution", "Museum", "--scope", "all", *options).out)
    assert (made["defaultVersion"], made["scopes"]) == ("2.0.0", ["all"])
    assert made["expiresAt"] > made["createdAt"]
    listed = json.loads(run("key", "list", "--institution", "Museum", "--json").out)
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    [museum] = json.loads(run("institution", "list", "--json").out)
    assert museum["name"] == "Museum"
    assert json.loads(run("sign-in", "--institution", "Museum", "--json").out)["url"].startswith("https://")


def test_an_administrators_key_is_made_without_institution(run: Run) -> None:
    done = run("key", "create", "--scope", "admin")
    assert scopes_of(done.out.strip()) == {Scope.ADMIN}
    assert run("key", "list").out.split("\t")[1:3] == ["admin", "good"]


def test_a_revoked_key_is_listed_as_such(run: Run) -> None:
    key = run("key", "create", "--institution", "Museum", "--scope", "all").out.partition(":")[0]
    done = run("key", "revoke", key)
    assert (done.code, done.out) == (0, "")
    assert "\trevoked 20" in run("key", "list", "--institution", "Museum").out


def test_revoking_prints_one_json_value_when_asked(run: Run) -> None:
    key_id = run("key", "create", "--institution", "School", "--scope", "all").out.partition(":")[0]
    told = run("key", "revoke", key_id, "--json")
    view = json.loads(told.out)
    assert (view["id"], view["state"]) == (key_id, "revoked")
    assert run("key", "revoke", key_id).out == ""


def test_an_institution_is_made_and_listed(run: Run) -> None:
    made = run("institution", "create", "Musée")
    assert run("institution", "list").out == f"{made.out.strip()}\tMusée\n"


def test_an_empty_list_says_so_beside_it(run: Run) -> None:
    done = run("institution", "list")
    assert (done.code, done.out) == (0, "")
    assert "no institution" in done.err


def test_the_link_stands_alone_on_standard_output(run: Run) -> None:
    run("institution", "create", "Museum")
    done = run("sign-in", "--institution", "Museum")
    assert done.out.startswith("https://lrs.example.org/sign-in/")
    assert done.out.count("\n") == 1
    assert "Museum" not in done.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("key", "create", "--scope", "all"), 1),
        (("key", "create", "--institution", "Museum", "--scope", "everything"), 1),
        (("key", "create", "--institution", "Museum", "--scope", "admin"), 1),
        (("key", "create", "--institution", " ", "--scope", "all"), 1),
        (("key", "create", "--institution", "Museum"), 2),
        (("key", "create", "--institution", "Museum", "--scope", "all", "--default-version", "1.0"), 2),
        (("key", "create", "--institution", "Museum", "--scope", "all", "--expires-days", "0"), 2),
        (("key", "list", "--institution", "Nobody"), 1),
        (("key", "revoke", "nothing"), 1),
        (("sign-in", "--institution", "Nobody"), 1),
        (("key", "change", "nothing", "--rate", "7"), 1),
        (("key", "change", "nothing"), 1),
        (("key", "change", "nothing", "--rate", "many"), 2),
        (("key", "change", "nothing", "--expires-days", "0"), 2),
        (("key", "change", "nothing", "--tolerate", "everything"), 1),
        (("sign-in",), 2),
    ],
)
def test_a_mistake_ends_in_a_sentence_and_its_code(run: Run, arguments: tuple[str, ...], code: int) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (code, "")
    assert done.err.strip()
    assert "Traceback" not in done.err


def test_a_name_is_taken_once(run: Run) -> None:
    run("institution", "create", "Museum")
    assert run("institution", "create", "Museum").code == 1


def test_wrong_settings_end_with_their_own_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRS_STORE", "postgres://x")
    assert run("institution", "list").code == 3


def test_a_store_that_cannot_be_opened_ends_with_its_own_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LRS_STORE", f"sqlite:///{tmp_path}/file/lrs.db")
    assert run("institution", "list").code == 4


def test_tolerances_are_made_listed_and_checked(run: Run) -> None:
    options = ("--tolerate", "null-property", "--tolerate", "mbox-scheme")
    made = run("key", "create", "--institution", "School", "--scope", "all", "--json", *options)
    assert json.loads(made.out)["tolerances"] == ["mbox-scheme", "null-property"]
    listed = run("key", "list", "--institution", "School")
    assert listed.out.rstrip().endswith("\ttolerates mbox-scheme null-property")
    wrong = run("key", "create", "--institution", "School", "--scope", "all", "--tolerate", "everything")
    assert wrong.code == 1
    assert "everything" in wrong.err
    assert "mbox-scheme" in wrong.err
    admin = run("key", "create", "--scope", "admin", "--tolerate", "mbox-scheme")
    assert admin.code == 1
    assert "tolerates nothing" in admin.err


def test_a_key_is_changed_in_what_is_given_alone(run: Run) -> None:
    made = run("key", "create", "--institution", "School", "--scope", "all", "--tolerate", "null-property")
    key = made.out.partition(":")[0]

    def change(*options: str) -> dict[str, object]:
        done = run("key", "change", key, "--json", *options)
        assert (done.code, done.err) == (0, f"Key {key} is changed.\n")
        changed: dict[str, object] = json.loads(done.out)
        return changed

    first = change("--rate", "7")
    assert (first["ratePerMinute"], first["expiresAt"], first["tolerances"]) == (7, None, ["null-property"])
    second = change("--expires-days", "13", "--default-version", "2.0.0")
    assert (second["state"], second["defaultVersion"], second["ratePerMinute"]) == ("ending", "2.0.0", 7)
    last = change(
        "--rate", "default", "--expires-days", "never", "--default-version", "none", "--tolerate", "none"
    )
    assert last == {**first, "ratePerMinute": None, "tolerances": []}
    refused = run("key", "change", key)
    assert (refused.code, refused.err) == (1, "lrs: Say what of the key shall be changed.\n")
