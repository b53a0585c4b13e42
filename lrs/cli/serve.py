"""``lrs serve``: the web server, granian in WSGI mode, one process a core.

Exit codes: 0 ended by Ctrl-C or SIGTERM; 1 the port is in use; 3 wrong settings; 4 the store
cannot be opened.
"""

import sys
from functools import partial
from pathlib import Path
from wsgiref.types import WSGIApplication

import click
from granian import Granian
from granian.constants import Interfaces

from config.settings import is_set, put_settings, read_settings
from lrs.app import create_app
from lrs.cli.cores import Cores, cores_for
from lrs.cli.loopback import check_free
from lrs.errors import ConfigError
from lrs.processes import end_with_parent, give_back_memory, share_memory, spare_collector
from lrs.services import build_services

_DEFAULT_BIND = "127.0.0.1:8080"
_MOST_PORTS = 65535
_IDLE_THREAD_SECONDS = 600
_SWITCH_SECONDS = 0.001
"""Whoever wants to compute waits so long for whoever does; the writer, under the write lock, too."""


def read_bind(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``; an IPv6 host stands in brackets.

    Raises:
        ConfigError: It is not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) <= _MOST_PORTS:
        raise ConfigError(f"--bind takes HOST:PORT, such as {_DEFAULT_BIND}, not {text!r}.")
    return host.strip("[]"), int(port)


@click.command()
@click.option("--bind", default=_DEFAULT_BIND, show_default=True, help="Address and port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option(
    "--threads", default=16, show_default=True, type=click.IntRange(1, 256), help="Threads a process."
)
@click.option(
    "--pin/--no-pin",
    default=None,
    help="Keep each process on a core of its own; as a rule where there are as many cores as processes.",
)
@click.option(
    "--default-version",
    type=click.Choice(["1.0.3", "2.0.0"]),
    help="In whose form a request without version header is refused, where its key names none.",
)
def serve(bind: str, workers: int, threads: int, pin: bool | None, default_version: str | None) -> None:
    """Serve the record store: xAPI at /xapi, the API at /api/v1, its docs at /api/docs."""
    host, port = read_bind(bind)
    if default_version:
        put_settings({"LRS_DEFAULT_VERSION": default_version})
    settings = read_settings()
    check_free(host, port)
    build_services(settings).close()
    click.echo(
        f"Serving on http://{bind} (xAPI at {settings.base_path}/xapi) from {shown_store(settings.store)}",
        err=True,
    )
    Granian(
        "lrs",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        blocking_threads_idle_timeout=_IDLE_THREAD_SECONDS,
        backpressure=max(threads * 4, 64),
        log_enabled=True,
        log_level=settings.log_level,  # type: ignore[arg-type]  # the same four names
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve(target_loader=partial(load_app, threads=threads, cores=cores_for(workers, pin)))


def load_app(_target: str, threads: int, cores: Cores | None = None) -> WSGIApplication:
    """Make the application in a worker process of so many threads, on one of the cores where some are given.

    Granian's own loader would look for modules in the current folder first, and find a
    stranger's there.
    """
    if cores is not None:
        cores.take()
    if not is_set("MALLOC_ARENA_MAX"):
        share_memory()
    give_back_memory()
    end_with_parent()
    app = create_app(read_settings(), threads=threads)
    spare_collector()
    sys.setswitchinterval(_SWITCH_SECONDS)
    return app


def shown_store(store: str) -> str:
    """Show where a store is: the whole path of a file, an address without the credentials in it."""
    scheme, _, rest = store.partition("://")
    if scheme == "sqlite":
        return str(Path(rest.removeprefix("/")).absolute())
    return f"{scheme}://{rest.rpartition('@')[2]}"


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(serve)
