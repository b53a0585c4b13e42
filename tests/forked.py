"""``lrs`` commands without their half second of imports: forked from a process that has done them.

Each is a process of its own, with its own environment, folder, output and exit code. What is killed,
paused or served is started the usual way (tests/server.py), and so is what is installed (test_wheel.py).

Run as ``python -P -m tests.forked`` it is that process: it takes orders on its standard input, a socket.
"""

import atexit
import functools
import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
MODULES = ["lrs.app", "lrs.services", "lrs.stores.sqlite.stores", "lrs.stores.mongo.stores"]


def run_forked(
    arguments: list[str], environ: Mapping[str, str], cwd: Path | None, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run ``lrs`` with these arguments to its end."""
    order = json.dumps([arguments, dict(environ), str(cwd or Path.cwd())]).encode()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        ours, theirs = socket.socketpair()
        with closing(ours):
            with closing(theirs):
                fds = [out.fileno(), err.fileno(), theirs.fileno()]
                socket.send_fds(_parent()[0], [b"%08d" % len(order) + order], fds)
            ours.settimeout(seconds)
            code = int(ours.recv(16))
        return subprocess.CompletedProcess(["lrs", *arguments], code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@functools.cache
def _parent() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start the process that forks, once; it ends with this one, which holds the other end."""
    ours, theirs = socket.socketpair()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LRS_")}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.forked"],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        env={**kept, "PYTHONPATH": str(ROOT)},
    )
    theirs.close()
    atexit.register(_end, ours, process)
    return ours, process


def _end(orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
    orders.close()
    process.wait()


def take_orders() -> None:
    """Fork for each order; return in the child, with everything as the order says, or when no more come."""
    import lrs.cli

    for module in pkgutil.iter_modules(lrs.cli.__path__, "lrs.cli."):
        import_module(module.name)
    for name in MODULES:
        import_module(name)
    gc.freeze()
    orders = socket.socket(fileno=0)
    while True:
        head, fds, _, _ = socket.recv_fds(orders, 8, 3)
        if not head:
            os._exit(0)
        order = b""
        while len(order) < int(head):
            order += orders.recv(int(head) - len(order))
        if _forked_twice(fds[2]):
            orders.detach()
            return _become(*json.loads(order), fds)
        for fd in fds:
            os.close(fd)


def _forked_twice(answer: int) -> bool:
    """Fork one that waits for the other's end and tells the code; true in that other."""
    if os.fork():
        return False
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        return True
    _, status = os.waitpid(child, 0)
    os.write(answer, b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(arguments: list[str], environ: dict[str, str], cwd: str, fds: list[int]) -> None:
    """Take over what the order names: no input, its files for output, its environment, its folder."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, number in ((nothing, 0), (fds[0], 1), (fds[1], 2)):
        os.dup2(fd, number)
    for fd in (nothing, *fds):
        os.close(fd)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = ["-c", *arguments]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    take_orders()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from lrs.cli import main

    sys.exit(main())
