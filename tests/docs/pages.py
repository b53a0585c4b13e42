"""Writes the pages that come from the code: docs/settings.md, docs/errors.md and example.env.

python -m tests.docs.pages    after a setting or an error has changed
"""

import inspect
import re
import textwrap

from config.settings import SETTINGS, Setting
from lrs.web.kinds import KINDS
from tests.reference import ROOT

PAGE = ROOT / "docs" / "settings.md"
ERRORS = ROOT / "docs" / "errors.md"
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


_ERRORS_HEAD = """\
# Errors

Every route answers a failure in one shape, [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem
details (`application/problem+json`): `type`, `title`, `status`, `detail`, `code`, `errorId`, `problems`,
and for a batch `badIndexes`. Each problem has a `path` (a JSON pointer into the body as sent, or the name
of a parameter or header), a `rule`, a `message` and the `spec` section. The `errorId` stands in the log and
on the provider's page too.

`code` is stable; branch on it rather than on words. *Again* says whether the same request may succeed later
as it is; such an answer carries `Retry-After`.

This page is written from `lrs/errors.py` and `lrs/web/kinds.py`; a test holds them together.

| code | status | again | what happened |
|---|---|---|---|
"""


def render_errors() -> str:
    return _ERRORS_HEAD + "".join(
        f"| `{error.code}` | {kind.status} | {'yes' if error.transient else ''} | {_summary(error)} |\n"
        for error, kind in KINDS.items()
    )


def _summary(error: type) -> str:
    """The first paragraph of a class's docstring, on one line."""
    return re.sub(r"\s+", " ", inspect.cleandoc(error.__doc__ or "").split("\n\n")[0])


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
    ERRORS.write_text(render_errors(), encoding="utf-8")
    EXAMPLE.write_text(render_example(), encoding="utf-8")
