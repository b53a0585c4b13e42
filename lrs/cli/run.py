"""``lrs run``: try it. One command to a running record store with a whole city in it.

Exit codes: 0 ended by Ctrl-C or SIGTERM; 1 the port is in use, or the server failed; 3 wrong
settings; 4 the store cannot be opened.
"""

import sys
from contextlib import ExitStack
from subprocess import Popen

import click

from config.settings import SETTINGS, Settings, put_settings, read_settings
from lrs.access.model import NewKey, Scope
from lrs.cli.children import AskedToEnd, Ending, child
from lrs.cli.loopback import ServerFailed, check_free, wait_until_up
from lrs.cli.serve import read_bind, shown_store
from lrs.demo import DemoError, load_demo, show_links
from lrs.services import Services, build_services

_START_SECONDS = 60.0
_DAY_US = 86_400_000_000
_CURL_KEY_DAYS = 30
_CURL_CLIENT = "make run"


@click.command()
@click.option("--bind", default="127.0.0.1:8080", show_default=True, help="Address and port to listen on.")
@click.option(
    "--demo/--no-demo",
    default=True,
    show_default=True,
    help="Fill an empty store with an invented city: a school, a museum, an employer, their learners.",
)
def run(bind: str, demo: bool) -> None:
    """Start a record store to try: fill an empty store, serve, work, say what to open next."""
    ending = Ending()
    host, port = read_bind(bind)
    settings = _settings_at(host, port)
    check_free(host, port)
    try:
        _prepare(settings, demo, ending)
        _serve(settings, host, port, ending)
    except AskedToEnd:
        _say("Stopped. What was kept stays; start again with the same command.")


def _settings_at(host: str, port: int) -> Settings:
    """Read the settings; links carry the port in use unless the public address was set."""
    settings = read_settings()
    unset = next(one.default for one in SETTINGS if one.field == "public_url")
    if settings.public_url == unset:
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
        address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
        put_settings({"LRS_PUBLIC_URL": address + settings.base_path})
        settings = read_settings()
    return settings


def _prepare(settings: Settings, demo: bool, ending: Ending) -> None:
    """Fill an empty store as was asked."""
    services = build_services(settings)
    try:
        _say(f"The record store keeps its records in {shown_store(settings.store)}")
        if services.access.list_institutions() or services.access.keys.list(None):
            _say("It was used before: everything is still there, and nothing was added.")
        elif demo:
            load_demo(services, _say, ending.check)
        else:
            key = services.access.create_administrator_key()
            _say("It is empty. The administrator's key, which makes institutions and keys, shown this once:")
            _say(f"  {_text(key)}")
    except DemoError as error:
        raise ServerFailed(str(error)) from error
    finally:
        services.close()


def _serve(settings: Settings, host: str, port: int, ending: Ending) -> None:
    """Run the server and the worker until one of them ends, or somebody asks to end."""
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with ExitStack() as running:
        server = running.enter_context(child("serve", "--bind", bind, ending=ending.check))
        worker = running.enter_context(child("worker", ending=ending.check))
        wait_until_up(host, port, lambda: _goes_on(server, ending), _START_SECONDS)
        _say(f"The record store runs at {settings.public_url}")
        _show(settings)
        _say("Press Ctrl-C to stop.")
        ending.wait_for((server, worker))
    raise ServerFailed("The server or the worker ended by itself; what it wrote above says why.")


def _goes_on(server: Popen[bytes], ending: Ending) -> bool:
    ending.check()
    return server.poll() is None


def _show(settings: Settings) -> None:
    """Print where to look, with fresh links and a command that works as it stands."""
    services = build_services(settings)
    try:
        show_links(services, _say)
        _show_curl(services)
    finally:
        services.close()


def _show_curl(services: Services) -> None:
    institutions = services.access.list_institutions()
    if not institutions:
        return
    name, url = institutions[0].name, services.settings.public_url
    expires = services.outside.clock() + _CURL_KEY_DAYS * _DAY_US
    key = services.access.create_key(name, _CURL_CLIENT, [Scope.ALL], None, expires)
    _say(f"Ask for the latest records of {name} (this key lasts {_CURL_KEY_DAYS} days):")
    _say(f"  curl -u {_text(key)} -H 'X-Experience-API-Version: 1.0.3' '{url}/xapi/statements?limit=2'")


def _text(made: NewKey) -> str:
    return f"{made.key.id}:{made.secret}"


def _say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    click.echo(line)
    sys.stdout.flush()


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(run)
