"""Every command, option and exit code stands in docs/cli.md."""

import re
from collections.abc import Iterator

import click

from lrs import cli
from tests.reference import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{path} {name} stands in no file"
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section_and_no_section_lacks_its_command() -> None:
    documented = {title for title in sections() if title.startswith("lrs ")}
    assert documented == {path for path, _ in commands(cli.group, "lrs")}


def test_every_option_stands_in_its_commands_section_and_has_help() -> None:
    for path, command in commands(cli.group, "lrs"):
        section = sections()[path]
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (path, option.name)
                for spelling in (*option.opts, *option.secondary_opts):
                    assert f"`{spelling}" in section, (path, spelling)


def test_sections_name_no_option_that_is_not_there() -> None:
    for path, command in commands(cli.group, "lrs"):
        known = {spelling for one in command.params for spelling in (*one.opts, *one.secondary_opts)}
        rows = re.findall(r"^\| (`--.*?) \|", sections()[path], flags=re.MULTILINE)
        named = {option for row in rows for option in re.findall(r"`(--[a-z-]+)", row)}
        assert named <= known, path


def test_every_exit_code_is_explained() -> None:
    codes = {value for name, value in vars(cli).items() if name.startswith("EXIT_")} | {0, 2}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)} == codes
