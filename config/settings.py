"""Every setting of an instance: name, default, unit and help in one table.

This is the only place that reads the environment. ``docs/settings.md`` and
``example.env`` list the same settings; a test holds them together.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from lrs.errors import ConfigError
from lrs.outbound.guard import Allowed, parse_allowed

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        name: The environment variable.
        field: The attribute of Settings.
        default: As it would be written in the environment.
        unit: What a number counts; empty for text.
        help: What it does, for an operator.
        parse: Turns the text into the value; raises ValueError with the reason.
    """

    name: str
    field: str
    default: str
    unit: str
    help: str
    parse: Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process, checked. The table below says what each is."""

    store: str
    public_url: str
    base_path: str
    trusted_proxies: tuple[Network, ...]
    default_version: str
    max_body_bytes: int
    max_lines_bytes: int
    max_statements: int
    max_parts: int
    max_json_depth: int
    page_size: int
    max_page_size: int
    max_attachment_bytes: int
    attachment_scan: str
    attachment_scan_seconds: int
    arrivals_kept: int
    arrivals_days: int
    busy_seconds: int
    cors_origins: str
    key_rate: int
    outbound_allow: tuple[Allowed, ...]
    outbound_ca: str | None
    secret_key_file: str
    log_level: str


def _number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def _store(text: str) -> str:
    if not text.startswith(("sqlite:///", "mongodb://", "mongodb+srv://")) or text == "sqlite:///":
        raise ValueError("must be sqlite:///PATH (four slashes for an absolute path) or mongodb://…")
    return text


def _program(text: str) -> str:
    if text and not (Path(text).is_absolute() and Path(text).is_file() and os.access(text, os.X_OK)):
        raise ValueError("must be the absolute path of a program that may be run, or empty")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be the http(s) address that clients use, without query or fragment")
    return text.rstrip("/")


def _base_path(text: str) -> str:
    path = text.rstrip("/")
    if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
        raise ValueError("must be a path such as /lrs, of letters, digits and -._~")
    return path


def _networks(text: str) -> tuple[Network, ...]:
    if text.strip() == "none":
        return ()
    try:
        return tuple(ip_network(one) for one in text.split())
    except ValueError as error:
        raise ValueError(
            "must be none, or addresses and networks separated by blanks, such as 127.0.0.1 10.0.0.0/8"
        ) from error


def _authorities(text: str) -> str | None:
    if text == "usual":
        return None
    if not Path(text).is_file():
        raise ValueError("must be usual, or the path of a file with certificates")
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "LRS_STORE",
        "store",
        "sqlite:///data/lrs.db",
        "",
        "Where records are kept: sqlite:///PATH (what follows the three slashes is the path, so an"
        " absolute path has four slashes) or a mongodb:// address with a database name.",
        _store,
    ),
    Setting(
        "LRS_PUBLIC_URL",
        "public_url",
        "http://127.0.0.1:8080",
        "",
        "The address under which clients and people reach this instance; it stands in links and in the"
        " authority of new clients. With https, cookies are marked Secure.",
        _public_url,
    ),
    Setting(
        "LRS_BASE_PATH",
        "base_path",
        "/",
        "",
        "The path below which everything is served, such as /lrs: xAPI is then at /lrs/xapi. It stands in"
        " LRS_PUBLIC_URL too. For a proxy that passes the path on unchanged; one that cuts it off says so"
        " with X-Forwarded-Prefix instead. /healthz and /readyz answer without it as well.",
        _base_path,
    ),
    Setting(
        "LRS_TRUSTED_PROXIES",
        "trusted_proxies",
        "none",
        "",
        "Addresses and networks of the proxies in front, separated by blanks. X-Forwarded-For, -Proto, -Host"
        " and -Prefix are believed from these alone; from everybody else, and with none, they are ignored.",
        _networks,
    ),
    Setting(
        "LRS_DEFAULT_VERSION",
        "default_version",
        "1.0.3",
        "",
        "The xAPI version in whose form a request without a version header is refused, where its key"
        " names none: 1.0.3 or 2.0.0.",
        _one_of("1.0.3", "2.0.0"),
    ),
    Setting(
        "LRS_MAX_BODY_BYTES",
        "max_body_bytes",
        "8388608",
        "bytes",
        "Largest request body; a larger one is refused with 413 before it is read whole.",
        _number(1024, 1 << 30),
    ),
    Setting(
        "LRS_MAX_LINES_BYTES",
        "max_lines_bytes",
        "268435456",
        "bytes",
        "Largest body of POST /api/v1/statements/lines as a whole; it is kept in a temporary file while it is"
        " read. A single line may be as large as LRS_MAX_BODY_BYTES says.",
        _number(1024, 1 << 36),
    ),
    Setting(
        "LRS_MAX_STATEMENTS",
        "max_statements",
        "4096",
        "statements",
        "Most statements in one batch; a longer one is refused with 413.",
        _number(1, 4096),
    ),
    Setting(
        "LRS_MAX_PARTS",
        "max_parts",
        "1000",
        "parts",
        "Most parts of a multipart/mixed body, the statements' own included; more are refused with 413.",
        _number(2, 100000),
    ),
    Setting(
        "LRS_MAX_JSON_DEPTH",
        "max_json_depth",
        "64",
        "levels",
        "Deepest nesting of JSON in a body; deeper is refused with 400.",
        _number(16, 512),
    ),
    Setting(
        "LRS_PAGE_SIZE",
        "page_size",
        "100",
        "statements",
        "Statements on a page when the request sets no limit, or limit=0.",
        _number(1, 1000),
    ),
    Setting(
        "LRS_MAX_PAGE_SIZE",
        "max_page_size",
        "1000",
        "statements",
        "Most statements on a page, whatever limit is asked for.",
        _number(1, 10000),
    ),
    Setting(
        "LRS_MAX_ATTACHMENT_BYTES",
        "max_attachment_bytes",
        "67108864",
        "bytes",
        "Most bytes of attachments on a page that is asked for with attachments=true; where there would be"
        " more, the page ends earlier and goes on behind its more link. One statement's always come whole.",
        _number(1024, 1 << 30),
    ),
    Setting(
        "LRS_ATTACHMENT_SCAN",
        "attachment_scan",
        "",
        "",
        "Path of a program that is asked about every attachment before it is kept, such as a virus scanner:"
        " it gets the bytes on its standard input and ends with 0 (good) or 1 (refused; the first line of its"
        " output is the reason that the sender is told). Anything else is answered with 500, and nothing is"
        " kept. Empty for none.",
        _program,
    ),
    Setting(
        "LRS_ATTACHMENT_SCAN_SECONDS",
        "attachment_scan_seconds",
        "30",
        "seconds",
        "How long the program of LRS_ATTACHMENT_SCAN may take for one attachment. Four run at once in a"
        " server process; more wait as long.",
        _number(1, 600),
    ),
    Setting(
        "LRS_ARRIVALS_KEPT",
        "arrivals_kept",
        "500",
        "entries",
        "How many receipts, and how many refusals, are kept for each key.",
        _number(1, 100000),
    ),
    Setting(
        "LRS_ARRIVALS_DAYS",
        "arrivals_days",
        "30",
        "days",
        "After how many days receipts and refusals are dropped.",
        _number(1, 3650),
    ),
    Setting(
        "LRS_BUSY_SECONDS",
        "busy_seconds",
        "10",
        "seconds",
        "How long a request waits for a store that is busy or away before it is answered with an error.",
        _number(1, 300),
    ),
    Setting(
        "LRS_CORS_ORIGINS",
        "cors_origins",
        "*",
        "",
        "Origins of browser content that may use /xapi from its own pages, separated by blanks; * lets in all"
        " (credentials are never in cookies there), none lets in no other.",
        str.strip,
    ),
    Setting(
        "LRS_KEY_RATE",
        "key_rate",
        "0",
        "requests a minute",
        "How many requests a key may make in a minute, where it has no rate of its own; more are answered"
        " with 429 and Retry-After. Each server process counts by itself. 0 for no limit.",
        _number(0, 1_000_000),
    ),
    Setting(
        "LRS_OUTBOUND_ALLOW",
        "outbound_allow",
        "none",
        "",
        "Where this instance may go although it is no public address: addresses, networks and hosts,"
        " separated by blanks, each with a port or without, such as 127.0.0.1:9000 10.0.0.0/8"
        " moodle.internal:443. Everything else that is private is refused, also after a redirect.",
        parse_allowed,
    ),
    Setting(
        "LRS_OUTBOUND_CA",
        "outbound_ca",
        "usual",
        "",
        "A file (PEM) with the certificate authorities that must vouch for other systems, in place of the"
        " usual ones; for systems with certificates of one's own. usual for the usual ones.",
        _authorities,
    ),
    Setting(
        "LRS_SECRET_KEY_FILE",
        "secret_key_file",
        "auto",
        "",
        "The file with the key under which secrets that must be read again (credentials of destinations, what"
        " webhooks are signed with) are encrypted: 32 random bytes in base 64, one key a line, the first"
        " encrypts. auto makes it beside the SQLite file (lrs.db-key, for its owner alone); on MongoDB it"
        " must be named. Backups leave it out: keep a copy apart from them.",
        str.strip,
    ),
    Setting(
        "LRS_LOG_LEVEL",
        "log_level",
        "info",
        "",
        "How much is logged to standard error: debug, info, warning or error. Never personal data.",
        _one_of("debug", "info", "warning", "error"),
    ),
)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check every setting.

    Args:
        environ: Read instead of the process's environment (tests, the command line).

    Raises:
        ConfigError: One or more settings are wrong, or a variable begins with ``LRS_`` and
            is none of ours (a typing mistake); all are named at once.
    """
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    wrong: list[str] = []
    for setting in SETTINGS:
        text = source.get(setting.name, "") or setting.default
        try:
            values[setting.field] = setting.parse(text)
        except ValueError as reason:
            wrong.append(f"{setting.name} {reason}; it is {_shown(text)!r}")
    known = {setting.name for setting in SETTINGS}
    wrong += [
        f"{name} is no setting of this project"
        for name in sorted(source)
        if name.startswith("LRS_") and name not in known and not name.startswith(_NOT_OURS)
    ]
    if wrong:
        raise ConfigError("; ".join(wrong) + ".")
    return Settings(**values)  # type: ignore[arg-type]  # the table and the class agree: a test says so


def _shown(text: str) -> str:
    """Show a value without what stands before an @: it may hold a password, and messages end up in logs."""
    _, at, rest = text.rpartition("@")
    return f"…@{rest}" if at else text


_NOT_OURS = ("LRS_TEST_", "LRS_REFERENCE_DIR", "LRS_ADL_SUITE_DIR")
"""Variables that only the tests read."""


def put_settings(values: Mapping[str, str]) -> None:
    """Set variables for this process and the worker processes that it starts."""
    os.environ.update(values)


def is_set(name: str) -> bool:
    """Tell whether a variable that is none of ours is set."""
    return name in os.environ
