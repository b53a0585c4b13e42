"""Real statements, read where they lie beside the project."""

import gzip
import json

import pytest

from lrs.xapi.reader import ReadLimits, read_statements
from lrs.xapi.statement import validate_statement
from lrs.xapi.versions import Version
from tests.reference import reference_dir

LIMITS = ReadLimits(max_body_bytes=1_000_000, max_depth=64, max_statements=100)


@pytest.mark.reference
def test_real_statements_are_read_to_the_letter_and_valid_in_both_versions() -> None:
    path = reference_dir() / "xapi-samples" / "ralph" / "statements.json.gz"
    if not path.is_file():
        pytest.skip(f"no sample statements at {path}")
    count = 0
    with gzip.open(path) as lines:
        for count, line in enumerate(lines, start=1):
            (read,) = read_statements(line, LIMITS).statements
            assert read.raw == line.strip()
            assert read.value == json.loads(line)
            for version in Version:
                assert validate_statement(read.value, version) == [], count
    assert count == 22_000
