"""What tests of attachments share: metadata, multipart bodies, and the parts of an answer."""

import hashlib
import json
from typing import Any

BOUNDARY = "-------314159265358979323846"
MULTIPART = f"multipart/mixed; boundary={BOUNDARY}"


def metadata(content: bytes, algorithm: str = "sha256", **changes: Any) -> dict[str, Any]:
    """The metadata of an attachment; a change replaces a property, None takes it out."""
    found = {
        "usageType": "https://school.example.org/usage/work",
        "display": {"en": "A piece of work"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": hashlib.new(algorithm, content).hexdigest(),
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def data_part(content: bytes, **changes: str | None) -> bytes:
    """A part with an attachment's bytes; a change replaces a header (``_`` for a hyphen), or takes it out."""
    headers = {
        "Content_Type": "text/plain",
        "Content_Transfer_Encoding": "binary",
        "X_Experience_API_Hash": hashlib.sha256(content).hexdigest(),
        **changes,
    }
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items() if value is not None]
    return "".join(lines).encode() + b"\r\n" + content


def multipart(statements: Any, *parts: bytes, head: bytes = b"Content-Type: application/json") -> bytes:
    """A whole body; anything but bytes is written as JSON."""
    first = statements if isinstance(statements, bytes) else json.dumps(statements).encode()
    mark = b"--" + BOUNDARY.encode()
    pieces = [head + b"\r\n\r\n" + first, *parts]
    return b"".join(mark + b"\r\n" + piece + b"\r\n" for piece in pieces) + mark + b"--\r\n"


def read_answer(content_type: str, body: bytes) -> tuple[Any, list[tuple[dict[str, str], bytes]]]:
    """Read an answer without our own reader: the JSON, and headers and bytes of each other part."""
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/mixed"
    before, *pieces, end = body.split(b"--" + boundary.encode())
    assert (before, end) == (b"", b"--\r\n")
    parts = []
    for piece in pieces:
        head, _, content = piece.partition(b"\r\n\r\n")
        lines = head.decode("ascii").removeprefix("\r\n").split("\r\n")
        assert content.endswith(b"\r\n")
        parts.append((dict(line.split(": ", 1) for line in lines), content[:-2]))
    assert parts[0][0] == {"Content-Type": "application/json"}
    return json.loads(parts[0][1]), parts[1:]
