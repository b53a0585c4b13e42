"""Settings, their page, the example file and the class say the same."""

import dataclasses

from config.settings import SETTINGS, Settings
from tests.docs.pages import EXAMPLE, PAGE, render_example, render_page

_MEND = "python -m tests.docs.pages writes it"


def test_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(), _MEND


def test_example_says_what_the_table_says() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == render_example(), _MEND


def test_table_and_class_have_the_same_fields() -> None:
    assert [one.field for one in SETTINGS] == [field.name for field in dataclasses.fields(Settings)]


def test_every_setting_is_explained_and_its_default_is_good() -> None:
    for setting in SETTINGS:
        setting.parse(setting.default)
        assert len(setting.help) > 30, setting.name
        assert setting.help.endswith("."), setting.name
        assert setting.unit or not setting.default.isdigit(), setting.name
