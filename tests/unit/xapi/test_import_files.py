"""Files of statements are split into records, whatever they look like."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import pytest

from lrs.errors import InvalidBody
from lrs.xapi import import_files
from lrs.xapi.import_files import StatementFile

ONE = {"id": 'a "quoted" \\ back', "b": [1, {"c": "]}[{,"}], "ü": None}
LIMIT = 10_000


def write(folder: Path, content: bytes, name: str = "records.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, limit: int = LIMIT) -> list[tuple[int, bytes]]:
    return [(record.number, record.text) for record in StatementFile(path, limit)]


def read_until_error(path: Path) -> list[bytes]:
    got: list[bytes] = []
    with pytest.raises(InvalidBody):
        got.extend(record.text for record in StatementFile(path, LIMIT))
    return got


def test_lines_are_records_when_each_holds_an_object(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"a":1}\n\n  \r\n{"a":2}\r\nnonsense\n{"a":3}')
    assert [number for number, _ in read(path)] == [1, 4, 5, 6]
    assert [text.strip() for _, text in read(path)] == [b'{"a":1}', b'{"a":2}', b"nonsense", b'{"a":3}']
    assert StatementFile(path, LIMIT).unit == "line"


def test_file_is_one_record_when_it_is_one_object_over_several_lines(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps(ONE, indent=2).encode())
    assert [(number, json.loads(text)) for number, text in read(path)] == [(1, ONE)]


def test_lines_are_records_when_the_first_is_broken(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, b'{"a":\n{"a":2}\n{"a":3}\n'))) == 3


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 18])
def test_elements_are_records_when_the_file_is_an_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, indent: int | None, chunk: int
) -> None:
    monkeypatch.setattr(import_files, "_CHUNK", chunk)
    values = [ONE, {}, [ONE], 'text, with ] and "', 5, {"a": [[[]]]}]
    path = write(tmp_path, b"\n " + json.dumps(values, indent=indent).encode() + b" \n")
    if chunk == 1:
        path.write_bytes(path.read_bytes().strip())
    got = read(path)
    assert [json.loads(text) for _, text in got] == values
    assert [number for number, _ in got] == list(range(6))
    assert StatementFile(path, LIMIT).unit == "index"


@pytest.mark.parametrize("content", [b"[]", b" [ \n ] \n"])
def test_there_is_no_record_when_the_array_is_empty(tmp_path: Path, content: bytes) -> None:
    assert read(write(tmp_path, content)) == []


def test_there_is_no_record_when_the_file_is_empty(tmp_path: Path) -> None:
    assert read(write(tmp_path, b"")) == []


def test_element_is_given_as_it_is_when_it_is_bad_but_closed(tmp_path: Path) -> None:
    got = read(write(tmp_path, b'[{"a":NaN},,{"a":1,"a":2},{"ok":true},]'))
    assert [text for _, text in got] == [b'{"a":NaN}', b"", b'{"a":1,"a":2}', b'{"ok":true}', b""]


@pytest.mark.parametrize(
    ("content", "given"),
    [(b'[{"a":1},{"b":', 1), (b'[{"a":1},{"b":"]', 1), (b'[{"a":1}', 0), (b'[{"a":1}] {"b":2}', 1)],
)
def test_what_was_whole_is_given_before_the_error_when_an_array_is_broken(
    tmp_path: Path, content: bytes, given: int
) -> None:
    assert len(read_until_error(write(tmp_path, content))) == given


def test_memory_is_bounded_when_a_string_in_an_array_is_never_closed(tmp_path: Path) -> None:
    path = write(tmp_path, b'[{"a":"' + b"x" * (1 << 20) + b'"}]')
    with pytest.raises(InvalidBody, match="too large"):
        read(path, limit=1000)


def test_line_comes_cut_and_the_next_is_whole_when_it_is_too_long(tmp_path: Path) -> None:
    got = read(write(tmp_path, b'{"a":"' + b"x" * 5000 + b'"}\n{"b":1}\n'), limit=100)
    assert [len(text) for _, text in got] == [101, 8]
    assert [number for number, _ in got] == [1, 2]


@pytest.mark.parametrize("content", [b'{"a":1}\n{"a":2}\n', b'[{"a":1},{"a":2}]'])
def test_records_and_digest_are_the_same_when_the_file_is_packed(tmp_path: Path, content: bytes) -> None:
    plain = write(tmp_path, content)
    packed = write(tmp_path, gzip.compress(content), "misleading.json")
    assert read(plain) == read(packed)
    assert StatementFile(plain, LIMIT).digest() == StatementFile(packed, LIMIT).digest()
    assert StatementFile(plain, LIMIT).digest() == hashlib.sha256(content).hexdigest()


def test_what_was_whole_is_given_before_the_error_when_the_packed_data_ends_early(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(b'{"a":%d}\n' % number for number in range(90_000)))
    assert len(read_until_error(write(tmp_path, packed[: len(packed) // 2]))) > 20_000


def test_byte_order_mark_is_skipped_when_a_file_begins_with_it(tmp_path: Path) -> None:
    assert read(write(tmp_path, b'\xef\xbb\xbf{"a":1}\n')) == [(1, b'{"a":1}\n')]


def test_bytes_read_end_at_the_total_when_the_file_is_read(tmp_path: Path) -> None:
    file = StatementFile(write(tmp_path, b'{"a":1}\n' * 100), LIMIT)
    assert file.bytes_read == 0
    list(file)
    assert file.bytes_read == file.total_bytes == 800


def test_pipe_is_refused_in_words_when_it_is_to_be_imported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidBody, match="pipe is no regular file"):
        StatementFile(tmp_path / "pipe", LIMIT)


def test_name_can_be_kept_when_the_file_system_knows_it_as_bytes_alone(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd\xff.ndjson"))
    path.write_bytes(b"{}")
    assert StatementFile(path, LIMIT).name == "odd?.ndjson"


def test_failure_is_said_in_words_when_the_disk_does_not_give_what_it_holds() -> None:
    unreadable = Path("/proc/self/mem")
    if not unreadable.exists():
        pytest.skip("this system has no file that can be opened and not read")
    with pytest.raises(InvalidBody, match="mem cannot be read:"):
        StatementFile(unreadable, LIMIT)
