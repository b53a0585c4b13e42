"""The versions of the standard that are spoken here, and how a request chooses one.

Spec: xAPI 1.0.3 Communication 3.3; xAPI 2.0 keeps the rule for its own number.
"""

import re
from enum import StrEnum

from lrs.errors import UnsupportedVersion


class Version(StrEnum):
    """A version of the standard; the value is what answers carry in their header."""

    V1_0_3 = "1.0.3"
    V2_0_0 = "2.0.0"


# Whatever begins with "1.0." must be taken; a comma stands between two headers.
_HEADER = re.compile(r"([12])\.0(?:\.[0-9A-Za-z.+-]*)?", re.ASCII)
_BY_MAJOR = {"1": Version.V1_0_3, "2": Version.V2_0_0}
_HELP = 'send "X-Experience-API-Version: 1.0.3" or "X-Experience-API-Version: 2.0.0"'


def negotiate_version(header: str | None) -> Version:
    """Choose the version whose rules a request is held to.

    Args:
        header: The value of X-Experience-API-Version, None where the request has none.

    Returns:
        1.0.3 for ``1.0`` and whatever begins with ``1.0.``, 2.0.0 for ``2.0`` and ``2.0.`` alike.

    Raises:
        UnsupportedVersion: The header is missing, malformed or names another version.

    Spec: xAPI 1.0.3 Communication 3.3
    """
    if header is None or not header.strip():
        raise UnsupportedVersion(f"The X-Experience-API-Version header is missing; {_HELP}.")
    match = _HEADER.fullmatch(header.strip())
    if match is None:
        shown = header.strip()[:40]
        raise UnsupportedVersion(f"Version {shown!r} of xAPI is not spoken here; {_HELP}.")
    return _BY_MAJOR[match[1]]
