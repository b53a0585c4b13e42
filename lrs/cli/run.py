"""``lrs run``: try it. One command to a running record store with something in it.

Exit codes: 0 ended by Ctrl-C or SIGTERM; 1 the port is in use, or the server failed; 3 wrong
settings; 4 the store cannot be opened.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random  # noqa: TID251 - seeded: the month is the same for everybody
from typing import NoReturn

import click

from config.settings import SETTINGS, Settings, put_settings, read_settings
from lrs.access.model import Scope
from lrs.access.service import NewKey
from lrs.cli.loopback import ServerFailed, check_free, post_statements, wait_until_up
from lrs.cli.serve import read_bind, shown_store
from lrs.services import Services, build_services
from profiles.demo_city import DemoCity, load_city, make_term

_BATCH = 50
_SEED = 7
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_DAY_US = 86_400_000_000
_CURL_KEY_DAYS = 30
_CURL_CLIENT = "make run"
_MOST_LINKS = 5


@click.command()
@click.option("--bind", default="127.0.0.1:8080", show_default=True, help="Address and port to listen on.")
@click.option(
    "--demo/--no-demo",
    default=True,
    show_default=True,
    help="Fill an empty store with an invented term of a school, a museum and an employer.",
)
def run(bind: str, demo: bool) -> None:
    """Start a record store to try: serve, fill an empty store, say what to open next."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    host, port = read_bind(bind)
    try:
        _run(host, port, demo)
    except KeyboardInterrupt:
        _say("Stopped. What was kept stays; start again with the same command.")


def _run(host: str, port: int, demo: bool) -> None:
    settings = _settings_at(host, port)
    check_free(host, port)
    services = build_services(settings)
    try:
        was_empty = not services.access.list_institutions() and not services.access.list_keys(None)
        with _server(host, port) as server:
            wait_until_up(host, port, lambda: server.poll() is None, _START_SECONDS)
            place = shown_store(settings.store)
            _say(f"The record store runs at {settings.public_url} and keeps its records in {place}")
            _begin(services, (host, port), demo, was_empty)
            services.close()
            server.wait()
            _fail()
    except Exception:
        # Not when interrupted: that may have struck inside a lock that closing would wait for
        # for ever. Nothing is lost by leaving the store as it is; what was answered is kept.
        services.close()
        raise


def _fail() -> NoReturn:
    raise ServerFailed("The server ended by itself; what it wrote above says why.")


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


@contextmanager
def _server(host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``lrs serve`` as a child, ended with this process; what it writes goes to standard error.

    It looks for modules where they are installed, never (``-P``) in the current folder.
    """
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    entry = "import sys; from lrs.cli import main; sys.exit(main())"
    child = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-P", "-c", entry, "serve", "--bind", bind],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the server to finish what it is answering and wait for it; Ctrl-C again changes nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _begin(services: Services, address: tuple[str, int], demo: bool, was_empty: bool) -> None:
    """Fill an empty store as was asked, and say what there is and what to do next."""
    if not was_empty:
        _say("It was used before: everything is still there, and nothing was added.")
    elif demo:
        _fill(services, address)
    else:
        key = services.access.create_administrator_key()
        _say("It is empty. This is the administrator's key, shown this once; it makes institutions and keys:")
        _say(f"  {_text(key)}")
    _show_pages(services)
    _say("Press Ctrl-C to stop.")


def _fill(services: Services, address: tuple[str, int]) -> None:
    """Let in the three providers of the demo city and post their month over HTTP."""
    city = load_city()
    keys = _let_in(services, city)
    now = datetime.fromtimestamp(services.outside.clock() / 1_000_000, UTC)
    month = make_term(city, now, Random(_SEED))  # noqa: S311 - nothing secret
    _say(f"It was empty, so a month of {city.name}, an invented city, is posted through the public API:")
    began = time.monotonic()
    for provider in city.providers.values():
        started, statements = time.monotonic(), month[provider.id]
        path = f"{services.settings.base_path}/xapi/statements"
        posts = post_statements(address, path, keys[provider.id], statements, _BATCH)
        took = time.monotonic() - started
        _say(f"  {provider.institution}: {len(statements)} statements in {posts} posts, {took:.2f} s")
    total = sum(map(len, month.values()))
    _say(f"  Together {total} statements in {time.monotonic() - began:.2f} s, each checked and kept.")


def _let_in(services: Services, city: DemoCity) -> dict[str, str]:
    keys = {}
    for provider in city.providers.values():
        made = services.access.create_key(provider.institution, provider.client, [Scope.ALL])
        keys[provider.id] = _text(made)
        _say(f"Made the institution {provider.institution!r} with the client {provider.client!r} and a key.")
    return keys


def _show_pages(services: Services) -> None:
    """Print where to look, with fresh links and a command that works as it stands."""
    url, institutions = services.settings.public_url, services.access.list_institutions()
    for institution in institutions[:_MOST_LINKS]:
        token = services.access.create_sign_in(institution.name)
        _say(f"Did my records arrive? {institution.name}; the link signs you in once, within a day:")
        _say(f"  {url}/sign-in/{token}")
    _say("API documentation:")
    _say(f"  {url}/api/docs")
    if institutions:
        name = institutions[0].name
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
