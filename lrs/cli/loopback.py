"""The instance's own address, as a command meets it: is it free, is it up.

This talks to the server that the same command started, on this machine, and to nobody else.
"""

import errno
import socket  # noqa: TID251 - only to see whether our own address is free
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection  # noqa: TID251 - our own server, not another host

import click

_POLL_SECONDS = 0.05


class AddressInUse(click.ClickException):
    """Something listens already where the server should."""


class ServerFailed(click.ClickException):
    """The server that was started did not come up, ended, or refused what it should take."""


def check_free(host: str, port: int) -> None:
    """Return when nothing listens at an address of this machine.

    Raises:
        AddressInUse: Something does, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise AddressInUse(
                    f"Port {port} of {host} is in use by another program. Stop that one, or choose another"
                    f" with --bind: make run PORT={port + 1}"
                ) from error
            raise AddressInUse(f"Cannot listen on {host}:{port}: {error.strerror}.") from error


def wait_until_up(host: str, port: int, is_running: Callable[[], bool], seconds: float) -> None:
    """Return once ``/healthz`` answers.

    Raises:
        ServerFailed: The server ended, or time is up.
    """
    deadline = time.monotonic() + seconds
    while is_running() and time.monotonic() < deadline:
        try:
            with closing(HTTPConnection(host, port, timeout=2)) as connection:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == HTTPStatus.OK:
                    return
        except OSError:
            pass
        time.sleep(_POLL_SECONDS)
    raise ServerFailed("The server did not come up; what it wrote above says why.")
