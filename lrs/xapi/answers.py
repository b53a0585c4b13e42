"""What GET statements answers: how long a page is, and how it is written.

Spec: xAPI 1.0.3 Communication 2.1.3; Data 2.5.
"""

from dataclasses import dataclass

import orjson

from lrs.xapi.formats import Canon, Format, show
from lrs.xapi.ports import StatementPage
from lrs.xapi.texts import served_list, served_text


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How long a page is when nothing is asked, and at most.

    Attributes:
        max_attachment_bytes: Of attachments on a page; it ends earlier where there are more.
    """

    page_size: int
    max_page_size: int
    max_attachment_bytes: int = 1 << 26


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: JSON, or multipart/mixed; ``stored_at_us`` is given for a single statement."""

    body: bytes
    content_type: str
    stored_at_us: int | None


def page_text(page: StatementPage, form: Format, canon: Canon, more: str) -> bytes:
    """Write a StatementResult: a page's statements as they are served, and the link to what follows."""
    if form is Format.EXACT:
        texts = served_list([(found.body, found.stored_at_us) for found in page.statements])
    else:
        texts = b",".join(
            [show(served_text(one.body, one.stored_at_us), form, canon) for one in page.statements]
        )
    return b"".join((b'{"statements":[', texts, b'],"more":', orjson.dumps(more), b"}"))
