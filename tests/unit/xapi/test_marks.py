"""The mark of statements whose writers may not define."""

import orjson
import pytest

from lrs.xapi.marks import is_undefining, mark_undefining
from lrs.xapi.texts import Additions, pack, received_text, served_list, served_text

ADDITIONS = Additions("11111111-1111-4111-8111-111111111111", '{"mbox":"mailto:lrs@example.org"}', "1.0.0")
PLAIN = {"actor": {"mbox": "mailto:a@example.org"}, "verb": {"id": "v:v"}, "object": {"id": "a:a"}}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"timestamp": "2026-01-01T00:00:00Z"},
        {"context": {"contextActivities": {"parent": {"id": "a:b"}}}},
        {"stored": "2026-01-01T00:00:00Z", "timestamp": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_marked_body_gives_the_same_texts(more: dict[str, object]) -> None:
    value = {**PLAIN, **more}
    raw = orjson.dumps(value)
    body = pack(raw, value, ADDITIONS)
    marked = mark_undefining(body)
    assert (is_undefining(body), is_undefining(marked)) == (False, True)
    assert mark_undefining(marked) == marked
    assert received_text(marked) == received_text(body) == raw
    assert served_text(marked, 1_700_000_000_123_456) == served_text(body, 1_700_000_000_123_456)
    kept = [(body, 1_700_000_000_123_456), (marked, 1_700_000_000_123_457)]
    assert served_list(kept) == b",".join(served_text(*one) for one in kept)
