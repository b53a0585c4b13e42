"""``lrs demo``: the invented city, loaded and taken away again.

Exit codes: 1 it is loaded already, or the application refused something.
"""

import click

from config.settings import read_settings
from lrs.cli.children import AskedToEnd, Ending
from lrs.demo import DemoError, load_demo, remove_demo, show_links
from lrs.services import build_services


@click.command()
@click.option("--remove", is_flag=True, help="Take the city away again, with everything that it holds.")
def demo(remove: bool) -> None:
    """Load an invented city, from its records to its transcripts; say what to open."""
    ending = Ending()
    services = build_services(read_settings())
    try:
        if remove:
            remove_demo(services, click.echo)
        else:
            load_demo(services, click.echo, ending.check)
            show_links(services, click.echo)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    except AskedToEnd as error:
        raise click.Abort from error
    finally:
        services.close()


def register(group: click.Group) -> None:
    """Add the command to the group."""
    group.add_command(demo)
