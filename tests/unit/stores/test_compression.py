"""Bodies are restored exactly, the dictionary helps, and it names nobody."""

import random
import re
import threading

import pytest
import zstandard

from benchmarks.invented import iter_statements, to_text
from benchmarks.train_dictionary import scrub
from lrs.errors import CorruptRecord
from lrs.stores.compression import PLAIN, SHIPPED, BodyCodec, shipped_dictionaries


def bodies(count: int, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    return [to_text(rng, statement) for statement in iter_statements(count, seed)]


def test_body_comes_back_exactly_when_it_was_compressed():
    codec = BodyCodec()
    for body in [*bodies(50, 3), b"", b"x", b"\x00\xff" * 5000, random.Random(1).randbytes(999)]:
        assert codec.decompress(*codec.compress(body)) == body


def test_body_is_kept_plain_when_compression_wins_nothing():
    noise = random.Random(1).randbytes(999)
    assert BodyCodec().compress(noise) == (PLAIN, noise)


def test_dictionary_makes_invented_statements_three_times_smaller():
    texts = bodies(600, 77)
    size = sum(map(len, texts))
    codec, without = BodyCodec(), zstandard.ZstdCompressor(level=3)
    assert size / sum(len(codec.compress(text)[1]) for text in texts) >= 3
    assert size / sum(len(without.compress(text)) for text in texts) < 2.5


def test_dictionary_holds_nothing_that_looks_like_an_identifier():
    data = shipped_dictionaries()[SHIPPED]
    assert len(data) == 64 * 1024
    for pattern in (
        rb"[\w.+-]@[\w-]",
        rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}",
        rb"[0-9a-fA-F]{40}",
        rb"learner[/ ]?\d",
        rb"Learner \d",
        rb"s\d{7}",
        rb"Client of",
        rb"mailto:[^\"]",
    ):
        assert re.search(pattern, data) is None, pattern


def test_scrubbing_empties_every_leaf_that_identifies():
    person = {"name": "N", "mbox": "mailto:n@example.org", "account": {"homePage": "https://a", "name": "n"}}
    clean = scrub(
        {
            "id": "1",
            "actor": person,
            "context": {
                "registration": "r",
                "extensions": {"http://e": {"deep": ["v", 1]}},
                "team": {"member": [person]},
            },
            "result": {"response": "words"},
            "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
        }
    )
    empty = {"name": "", "mbox": "mailto:", "account": {"homePage": "https://", "name": ""}}
    assert clean == {
        "id": "",
        "actor": empty,
        "context": {
            "registration": "",
            "extensions": {"http://e": {"deep": ["", 1]}},
            "team": {"member": [empty]},
        },
        "result": {"response": ""},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/passed"},
    }


def test_unknown_dictionary_is_a_corrupt_record():
    with pytest.raises(CorruptRecord, match="dictionary 9"):
        BodyCodec().decompress(9, b"whatever")


def test_damaged_blob_is_a_corrupt_record():
    codec = BodyCodec()
    number, blob = codec.compress(bodies(1, 4)[0])
    with pytest.raises(CorruptRecord):
        codec.decompress(number, b"\x00" + blob[1:])


def test_blob_that_says_it_is_larger_than_memory_is_a_corrupt_record():
    codec = BodyCodec()
    head = b"\x28\xb5\x2f\xfd\xe0"
    for size in (1 << 40, 1 << 60):
        with pytest.raises(CorruptRecord):
            codec.decompress(codec.current, head + size.to_bytes(8, "little") + b"\x01\0\0")


def test_many_bodies_come_back_together_whatever_stands_behind_them():
    codec = BodyCodec()
    sent = [*bodies(100, 3), b"x" * 5000]
    blobs = [codec.compress(body)[1] for body in sent]
    assert codec.decompress_together(SHIPPED, blobs) == sent
    behind = [blob + bytes(range(number)) for number, blob in enumerate(blobs)]
    assert codec.decompress_together(SHIPPED, behind) == sent
    assert codec.decompress_together(SHIPPED, blobs[:3]) is None


@pytest.mark.parametrize("damage", [lambda blob: blob[:-3], lambda blob: b"nonsense", lambda blob: blob[:2]])
def test_none_comes_back_together_when_one_is_damaged(damage):
    codec = BodyCodec()
    blobs = [codec.compress(body)[1] for body in bodies(100, 3)]
    blobs[70] = damage(blobs[70])
    assert codec.decompress_together(SHIPPED, blobs) is None


def test_one_codec_serves_many_threads():
    codec = BodyCodec()
    texts = bodies(200, 6)
    wrong: list[bytes] = []

    def work() -> None:
        wrong.extend(text for text in texts * 5 if codec.decompress(*codec.compress(text)) != text)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
