"""A process that gives awards until it is killed or none is left: ``python -m tests.e2e.awarder URL``.

Says ``gives`` before each write, and ``done`` at the end.
"""

import sys

from config.settings import read_settings
from lrs.services import build_services


def say() -> None:
    """Say on standard output that the next award is about to be written."""
    print("gives", flush=True)


if __name__ == "__main__":
    services = build_services(read_settings({"LRS_STORE": sys.argv[1]}))
    print("ready", flush=True)
    services.awards.reconcile(say)
    services.close()
    print("done", flush=True)
