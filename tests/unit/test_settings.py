"""Settings are read once, checked, and explained when they are wrong."""

import pytest

from config.settings import read_settings
from lrs.errors import ConfigError


@pytest.mark.parametrize("store", ["mongo://user:geheim@host/db", "user:ge@heim@host/db"])
def test_no_password_is_said_when_the_address_of_the_store_is_wrong(store: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({"LRS_STORE": store})
    assert "heim" not in raised.value.detail
    assert "…@host/db" in raised.value.detail


def test_every_wrong_setting_is_named_with_its_value_when_several_are() -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({"LRS_PAGE_SIZE": "many", "LRS_LOG_LEVEL": "loud", "LRS_PAGESIZE": "7"})
    for said in ("LRS_PAGE_SIZE", "'many'", "LRS_LOG_LEVEL", "'loud'", "LRS_PAGESIZE is no setting"):
        assert said in raised.value.detail
