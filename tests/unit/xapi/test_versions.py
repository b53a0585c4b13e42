"""Which version a request is held to."""

import pytest

from lrs.errors import UnsupportedVersion
from lrs.xapi.versions import Version, negotiate_version


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("1.0", Version.V1_0_3),
        ("1.0.0", Version.V1_0_3),
        ("1.0.3", Version.V1_0_3),
        ("1.0.9", Version.V1_0_3),
        (" 1.0.3 ", Version.V1_0_3),
        ("1.0.", Version.V1_0_3),
        ("1.0.03", Version.V1_0_3),
        ("1.0.3-rc.1+7", Version.V1_0_3),
        ("2.0", Version.V2_0_0),
        ("2.0.0", Version.V2_0_0),
        ("2.0.1", Version.V2_0_0),
    ],
)
def test_version_is_chosen_when_the_header_names_one_that_is_spoken(header: str, version: Version) -> None:
    assert negotiate_version(header) is version


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "1",
        "2",
        "1.1.0",
        "0.95",
        "0.9",
        "2.1.0",
        "3.0",
        "1.00",
        "1.0-3",
        "v1.0.3",
        "1.0.3, 2.0.0",
        "1.0.3,2.0.0",
        "\u0661.0",
    ],
)
def test_version_is_refused_with_help_when_the_header_is_missing_or_other(header: str | None) -> None:
    with pytest.raises(UnsupportedVersion, match=r"send .*1\.0\.3.*2\.0\.0"):
        negotiate_version(header)


def test_answer_header_is_the_value_of_the_version() -> None:
    assert [str(version) for version in Version] == ["1.0.3", "2.0.0"]
