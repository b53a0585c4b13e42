"""What commands share: the services, opened and closed, and ``--json``."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from config.settings import read_settings
from lrs.services import Services, build_services

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")


@contextmanager
def opened_services() -> Iterator[Services]:
    """Open the services that the settings name, for a block."""
    services = build_services(read_settings())
    try:
        yield services
    finally:
        services.close()
