"""Writes docs/settings.md and example.env from the table of settings.

python -m tests.docs.settings_pages    after a setting has changed
"""

import textwrap

from config.settings import SETTINGS, Setting
from tests.reference import ROOT

PAGE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / "example.env"

_PAGE_HEAD = """\
# Settings

Every setting is an environment variable. A wrong one, or a variable that begins with `LRS_` and is none of
these, stops the start with a sentence that names it (exit code 3). [example.env](../example.env) is a file to
begin with.

This page is written from `config/settings.py`; a test holds them together.
"""

_EXAMPLE_HEAD = """\
# Settings with their defaults; docs/settings.md says the same in a table. Written from
# config/settings.py. Uncomment what you change.
"""


def render_page() -> str:
    return "\n".join([_PAGE_HEAD, *(_section(setting) for setting in SETTINGS)])


def _section(setting: Setting) -> str:
    unit = f" {setting.unit}" if setting.unit else ""
    text = textwrap.fill(setting.help, 120, break_long_words=False, break_on_hyphens=False)
    return f"## {setting.name}\n\nDefault: `{setting.default}`{unit}\n\n{text}\n"


def render_example() -> str:
    return "\n".join([_EXAMPLE_HEAD, *(_lines(setting) for setting in SETTINGS)])


def _lines(setting: Setting) -> str:
    help_text = setting.help + (f" (In {setting.unit}.)" if setting.unit else "")
    text = textwrap.fill(
        help_text,
        98,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{text}\n#{setting.name}={setting.default}\n"


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
    EXAMPLE.write_text(render_example(), encoding="utf-8")
