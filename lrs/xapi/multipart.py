"""multipart/mixed, in and out: statements in the first part, attachments' bytes in the others.

Werkzeug reads form-data only, and the standard library's ``email`` mends line ends of binary
parts; so this is ours. Nothing is decoded or mended: a part's content is the exact slice of
the body. What stands before the first boundary and behind the closing one is ignored, as
RFC 2046 asks. Reading takes time in proportion to the body, whatever stands in it.

Spec: xAPI 1.0.3 Communication 1.5.2; RFC 2046 5.1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lrs.errors import InvalidAttachment, TooLarge

_CRLF = b"\r\n"
_BLANK_LINE = b"\r\n\r\n"
_MAX_HEADER_BYTES = 8192
_BOUNDARY = re.compile(r"[\x20-\x7e]{0,69}[\x21-\x7e]")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00\r\n]*)")


@dataclass(frozen=True, slots=True)
class Part:
    """One part.

    Attributes:
        headers: By name, in lower case where it was read; what is written keeps its case.
        content: As sent.
    """

    headers: Mapping[str, str]
    content: bytes


def read_multipart(body: bytes, boundary: str, max_parts: int) -> list[Part]:
    """Cut a multipart body into its parts; at least one.

    Args:
        body: The whole body.
        boundary: The boundary that the Content-Type names; empty where it names none.
        max_parts: More parts than this are refused.

    Raises:
        InvalidAttachment: The boundary is missing or never closed, there is no part, or a part's
            headers are malformed.
        TooLarge: Too many parts, or too long headers.
    """
    if _BOUNDARY.fullmatch(boundary) is None:
        raise InvalidAttachment(
            "multipart/mixed needs a boundary in its Content-Type: 1 to 70 characters of ASCII."
        )
    line, next_line = _boundary_lines(boundary.encode())
    found = line.match(body) or next_line.search(body)
    if found is None:
        raise InvalidAttachment(
            "The body does not hold the boundary that its Content-Type names, on a line of its own that ends"
            " in CR LF."
        )
    parts: list[Part] = []
    while not found["closes"]:
        start = found.end()
        found = next_line.search(body, start)
        if found is None:
            raise InvalidAttachment("The multipart body is cut short: its closing boundary is missing.")
        if len(parts) == max_parts:
            raise TooLarge(f"The body has more than {max_parts} parts; send it in several requests.")
        parts.append(_read_part(body[start : found.start()], len(parts) + 1))
    if not parts:
        raise InvalidAttachment("The multipart body has no part; its first one must hold the statements.")
    return parts


def _boundary_lines(boundary: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Make what matches a boundary's line, and the same with the CR LF before it, which belongs to it.

    The CR LF behind it does not. A line that goes on in another way is content.
    """
    line = rb"--" + re.escape(boundary) + rb"(?:(?P<closes>--)[ \t]*(?=\r\n|\Z)|[ \t]*(?=\r\n))"
    return re.compile(line), re.compile(rb"\r\n" + line)


def _read_part(text: bytes, number: int) -> Part:
    """Read one part: its text begins with the CR LF that ends its boundary's line."""
    end = text.find(_BLANK_LINE)
    if end < 0 and text.endswith(_CRLF) and len(text) > len(_CRLF):
        end = len(text) - len(_CRLF)
    if end < 0:
        raise InvalidAttachment(f"Part {number} of the multipart body has no blank line behind its headers.")
    if end > _MAX_HEADER_BYTES:
        raise TooLarge(f"The headers of part {number} are longer than {_MAX_HEADER_BYTES} bytes.")
    return Part(_read_headers(text[:end], number), text[end + len(_BLANK_LINE) :])


def _read_headers(head: bytes, number: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in head.split(_CRLF)[1:]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise InvalidAttachment(f"Part {number} of the multipart body has a malformed header.")
        name = match[1].lower().decode()
        if name in headers:
            raise InvalidAttachment(f"Part {number} of the multipart body has the header {name} twice.")
        headers[name] = match[2].strip(b" \t").decode("latin-1")
    return headers


def write_multipart(parts: Sequence[Part], new_boundary: Callable[[], str]) -> tuple[bytes, str]:
    """Write parts as a multipart body.

    Args:
        parts: Their headers must be plain ASCII without line breaks.
        new_boundary: Gives another random boundary at each call.

    Returns:
        The body, and the boundary, which stands in none of the parts.
    """
    boundary = new_boundary()
    while any(boundary.encode() in part.content for part in parts):
        boundary = new_boundary()
    mark = b"--" + boundary.encode()
    pieces: list[bytes] = []
    for part in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
        pieces += [mark, _CRLF, head.encode("ascii"), _CRLF, part.content, _CRLF]
    return b"".join([*pieces, mark, b"--", _CRLF]), boundary
