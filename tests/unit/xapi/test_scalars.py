"""The forms of single texts."""

from datetime import UTC, datetime

import pytest

from lrs import clock
from lrs.xapi.scalars import (
    is_duration,
    is_iri,
    is_language_tag,
    is_mailto,
    is_rfc3339,
    is_sha1,
    is_uuid,
    parse_timestamp,
    truncate_duration,
)


def micros(*parts: int) -> int:
    return clock.from_datetime(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    "text",
    [
        "http://example.org",
        "https://example.org/a?b=c#d",
        "course-v1:EXAMPLE+00002+session01",
        "uuid://4f2a",
        "urn:uuid:00000000-0000-4000-8000-000000000001",
        "tag:example.org,2026:x",
        "mailto:robin@example.org",
        "http://example.org/élève/漢字",
        "http://example.org/100%/[1]",
        "HTTP://EXAMPLE.ORG",
        "a:b",
    ],
)
def test_iri_is_accepted_when_it_has_a_scheme_and_no_illegal_character(text: str) -> None:
    assert is_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example",
        "example.org/a",
        "/a",
        "//example.org",
        ":a",
        "http:",
        "1a:b",
        "ab=c://example.org",
        "http://example.org/a b",
        " http://example.org",
        "http://example.org\n",
        "http://example.org/<a>",
        'http://example.org/"',
        "http://example.org/{a}",
        "http://example.org/a|b",
        "http://example.org/a\\b",
        "http://example.org/^",
        "http://example.org/`",
        "http://example.org/\x85",
        "é:b",
    ],
)
def test_iri_is_refused_when_scheme_or_characters_are_wrong(text: str) -> None:
    assert not is_iri(text)


def test_iri_verdict_does_not_depend_on_length_or_on_being_asked_again() -> None:
    for length in (1, 255, 256, 257, 100_000):
        good, bad = "http:" + "a" * length, "http:" + " " * length
        assert [is_iri(good), is_iri(good), is_iri(bad), is_iri(bad)] == [True, True, False, False]


def test_iri_verdicts_stay_right_when_more_are_asked_for_than_are_remembered() -> None:
    assert all(is_iri(f"urn:x:{n}") and not is_iri(f"x{n}") for n in range(20_000))


@pytest.mark.parametrize(
    "text",
    [
        "mailto:robin@example.org",
        "mailto:a.b+c@sub.example.org",
        "mailto:o'hare@example",
        "mailto:élève@école.example",
    ],
)
def test_mailto_is_accepted_when_it_is_one_address(text: str) -> None:
    assert is_mailto(text)


@pytest.mark.parametrize(
    "text",
    [
        "robin@example.org",
        "MAILTO:robin@example.org",
        "mailto:",
        "mailto:robin",
        "mailto:@example.org",
        "mailto:robin@",
        "mailto:robin@b@example.org",
        "mailto:robin@example..org",
        "mailto:a da@example.org",
        "mailto:robin@example.org,eve@example.org",
        "mailto:robin@example.org?subject=x",
        "mailto:robin@example.org\n",
        "http://example.org",
    ],
)
def test_mailto_is_refused_when_it_is_anything_else(text: str) -> None:
    assert not is_mailto(text)


def test_sha1_is_forty_hex_digits() -> None:
    assert is_sha1("ebd31e95054c018b10727ccffd2ef2ec3a016ee9")
    assert is_sha1("EBD31E95054C018B10727CCFFD2EF2EC3A016EE9")
    assert not is_sha1("ebd31e95054c018b10727ccffd2ef2ec3a016ee")
    assert not is_sha1("gbd31e95054c018b10727ccffd2ef2ec3a016ee9")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("12345678-1234-1234-1234-123456789abc", True),
        ("12345678-1234-1234-1234-123456789ABC", True),
        ("00000000-0000-0000-0000-000000000000", True),
        ("12345678-1234-1234-1234-123456789abcd", False),
        ("12345678-1234-1234-1234-123456789abg", False),
        ("12345678123412341234123456789abc", False),
        ("{12345678-1234-1234-1234-123456789abc}", False),
        ("12345678-1234-1234-1234-123456789abc\n", False),
        ("urn:uuid:12345678-1234-1234-1234-123456789abc", False),
        ("", False),
    ],
)
def test_uuid_has_the_standard_form(text: str, verdict: bool) -> None:
    assert is_uuid(text) is verdict


@pytest.mark.parametrize(
    "text",
    [
        "en",
        "en-US",
        "EN-us",
        "cmn",
        "ase",
        "sr-Latn-RS",
        "zh-Hans-CN",
        "es-419",
        "zh-yue",
        "sl-rozaj-biske",
        "de-CH-1996",
        "en-a-bbb-x-a-ccc",
        "de-DE-u-co-phonebk",
        "x-whatever",
        "i-klingon",
        "sgn-BE-FR",
        "und",
        "zh-min-nan",
        "abcdefgh",
    ],
)
def test_language_tag_is_accepted_when_its_tokens_fit(text: str) -> None:
    assert is_language_tag(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "something",
        "en_US",
        "en-",
        "-en",
        "en--US",
        "en-US-",
        "zh-z-aaa-z-bbb-c-ccc",
        "a12345",
        "12",
        "de-1996-1996",
        "en-a",
        "en-x",
        "en US",
        "en-USA1x9toolong",
        "i-unknown",
        "é",
        "x",
        "en-US-GB",
    ],
)
def test_language_tag_is_refused_when_its_tokens_do_not_fit(text: str) -> None:
    assert not is_language_tag(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-02T09:30:00Z", micros(2026, 3, 2, 9, 30)),
        ("2026-03-02T09:30:00.1Z", micros(2026, 3, 2, 9, 30, 0, 100_000)),
        ("2026-03-02T09:30:00.123456999Z", micros(2026, 3, 2, 9, 30, 0, 123_456)),
        ("2026-03-02T09:30:00+00:00", micros(2026, 3, 2, 9, 30)),
        ("2026-03-02T09:30:00+05:45", micros(2026, 3, 2, 3, 45)),
        ("2026-03-02T09:30:00-03:30", micros(2026, 3, 2, 13)),
        ("2026-03-02T09:30:00-0330", micros(2026, 3, 2, 13)),
        ("2026-03-02T09:30:00-03", micros(2026, 3, 2, 12, 30)),
        ("2026-03-02T09:30:00-00:30", micros(2026, 3, 2, 10)),
        ("2026-03-02t09:30:00z", micros(2026, 3, 2, 9, 30)),
        ("2026-03-02T09:30:00,5Z", micros(2026, 3, 2, 9, 30, 0, 500_000)),
        ("2026-03-02T09:30:00", micros(2026, 3, 2, 9, 30)),
        ("2026-03-02T09:30", micros(2026, 3, 2, 9, 30)),
        ("20260302T093000Z", micros(2026, 3, 2, 9, 30)),
        ("20260302T0930+0100", micros(2026, 3, 2, 8, 30)),
        ("2024-02-29T00:00:00Z", micros(2024, 2, 29)),
        ("2026-03-02T24:00:00Z", micros(2026, 3, 3)),
        ("2026-03-02T24:00:00.000Z", micros(2026, 3, 3)),
        ("2016-12-31T23:59:60Z", micros(2017, 1, 1)),
        ("2017-01-01T05:44:60.5+05:45", micros(2017, 1, 1, 0, 0, 0, 500_000)),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("0001-01-01T00:00:00Z", micros(1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", micros(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_timestamp_is_read_when_it_is_a_moment(text: str, instant: int) -> None:
    assert parse_timestamp(text) == instant
    assert clock.to_datetime(instant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "should fail",
        "01/011/2015",
        "2026-03-02",
        "2026-03-02T",
        "2026-03-02T09Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T24:00:01Z",
        "2026-03-02T24:00:00.1Z",
        "2026-03-02T09:60:00Z",
        "2026-03-02T09:30:61Z",
        "2016-12-31T23:58:60Z",
        "2017-01-01T00:59:60Z",
        "2026-03-02T09:30:00-00",
        "2026-03-02T09:30:00-0000",
        "2026-03-02T09:30:00-00:00",
        "2026-03-02T09:30:00+24:00",
        "2026-03-02T09:30:00+01:60",
        "2026-03-02 09:30:00Z",
        "2026-03-02T09:30:00.Z",
        "2026-03-02T09:30:00Z ",
        "2026-03-02T09:30:00Z\n",
        "2026-0302T09:30:00Z",
        "20260302T09:30:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T24:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-03-02T09:30:00Z",
        "2026-W10-1T09:30:00Z",
        "2026-061T09:30:00Z",
        "1772443800",
    ],
)
def test_timestamp_is_refused_when_it_is_no_moment(text: str) -> None:
    assert parse_timestamp(text) is None


def test_timestamp_is_read_when_its_fraction_is_very_long() -> None:
    assert parse_timestamp(f"2026-03-02T09:30:00.{'1' * 10_000}Z") == micros(2026, 3, 2, 9, 30, 0, 111_111)
    assert parse_timestamp(f"2026-03-02T24:00:00.{'0' * 10_000}Z") == micros(2026, 3, 3)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("2026-03-02T09:30:00Z", True),
        ("2026-03-02T09:30:00.5+05:45", True),
        ("2026-03-02t09:30:00z", True),
        ("2026-03-02T09:30:00", False),
        ("2026-03-02T09:30Z", False),
        ("2026-03-02T09:30:00+0545", False),
        ("2026-03-02T09:30:00+05", False),
        ("2026-03-02T09:30:00,5Z", False),
        ("2026-03-02T24:00:00Z", False),
        ("20260302T093000Z", False),
    ],
)
def test_narrower_form_of_timestamps_is_told_apart(text: str, verdict: bool) -> None:
    assert is_rfc3339(text) is verdict
    assert parse_timestamp(text) is not None


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("PT4H35M59.14S", "PT16559.14S"),
        ("PT16559.14S", "PT16559.14S"),
        ("PT16559.149999S", "PT16559.14S"),
        ("PT0.999S", "PT0.99S"),
        ("PT0.009S", "PT0S"),
        ("PT1H", "PT3600S"),
        ("PT60M", "PT3600S"),
        ("PT0.5H", "PT1800S"),
        ("PT0,5H", "PT1800S"),
        ("PT001.50S", "PT1.5S"),
        ("P3Y1M29DT4H35M59.14S", "P3Y1M29DT16559.14S"),
        ("P1DT12H36M0.12567S", "P1DT45360.12S"),
        ("P3Y", "P3Y"),
        ("P03Y0M", "P3Y"),
        ("P1.50Y", "P1.5Y"),
        ("P4W", "P4W"),
        ("P0D", "PT0S"),
        ("PT0S", "PT0S"),
        ("P1M", "P1M"),
        ("PT1M", "PT60S"),
    ],
)
def test_duration_is_cut_to_hundredths_when_it_is_compared(text: str, truncated: str) -> None:
    assert is_duration(text)
    assert truncate_duration(text) == truncated
    assert truncate_duration(truncated) == truncated


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "1H",
        "PA1H0M0S",
        "P1DT",
        "PT1D",
        "P1H",
        "P4W1D",
        "P1DT4W",
        "PT1M1H",
        "PT1.5H3M",
        "-PT1S",
        "+PT1S",
        "PT-1S",
        "pt1s",
        "PT1S ",
        " PT1S",
        "PT1S\n",
        "PT1.S",
        "PT.5S",
        "P0003-06-04T12:30:05",
        "PT٣S",
        "should fail",
        "PT" + "1" * 300 + "S",
    ],
)
def test_duration_is_refused_when_it_is_malformed(text: str) -> None:
    assert not is_duration(text)
    assert truncate_duration(text) == text
