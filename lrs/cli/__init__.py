"""The ``lrs`` command: every administrative act can be done from it.

Exit codes: 0 done; 1 failed, as the message says; 2 wrong usage; 3 wrong settings; 4 the
store is away, busy or cannot be opened; 130 interrupted.
"""

import importlib
import sys

import click

from lrs.errors import ConfigError, LrsError, StoreError

EXIT_FAILED = 1
EXIT_CONFIG = 3
EXIT_STORE = 4
EXIT_INTERRUPTED = 130

COMMANDS = {
    "alignment": "framework",
    "award": "award",
    "attestation": "attestation",
    "backup": "backup",
    "check": "backup",
    "connector": "connector",
    "consent": "consent",
    "crosswalk": "crosswalk",
    "demo": "demo",
    "destination": "streams",
    "explain": "levels",
    "framework": "framework",
    "import": "importing",
    "institution": "keys",
    "issuer": "issuers",
    "jobs": "jobs",
    "key": "keys",
    "learner": "learner",
    "outbox": "streams",
    "pathway": "pathway",
    "portfolio": "portfolio",
    "progress": "levels",
    "rebuild": "rebuild",
    "restore": "backup",
    "roster": "roster",
    "run": "run",
    "serve": "serve",
    "share": "share",
    "sign-in": "keys",
    "transcript": "transcript",
    "worker": "jobs",
}
"""Which file of this folder has which command; only the one that is called is imported."""


class _Commands(click.Group):
    """Finds commands in the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return all names, in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name, or return None."""
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            importlib.import_module(f"lrs.cli.{COMMANDS[cmd_name]}").register(self)
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lrs", prog_name="lrs")
def group() -> None:
    """Run and administer a learning-record store."""


def main() -> None:
    """Run the command line; every error ends in a plain sentence and its exit code."""
    try:
        code = group(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LrsError as error:
        click.echo(f"lrs: {error.detail}", err=True)
        for problem in error.problems[:10]:
            click.echo(f"  {problem.path or '(all)'}: {problem.message}", err=True)
        sys.exit(_exit_code(error))
    except OSError as error:
        click.echo(f"lrs: {': '.join(filter(None, [error.filename, error.strerror]))}.", err=True)
        sys.exit(EXIT_FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _exit_code(error: LrsError) -> int:
    if isinstance(error, ConfigError):
        return EXIT_CONFIG
    if isinstance(error, StoreError):
        return EXIT_STORE
    return EXIT_FAILED
