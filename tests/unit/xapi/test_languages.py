"""Which language of a map is shown (xAPI 1.0.3 Communication 2.1.3; RFC 2616 14.4)."""

import pytest

from lrs.xapi.languages import Languages, choose_language


@pytest.mark.parametrize(
    ("preferred", "refused", "chosen"),
    [
        (["de"], [], "de"),
        (["DE"], [], "de"),
        (["de-CH", "en"], [], "de"),
        (["es"], [], "es-MX"),
        (["fr", "es-ES"], [], "es-MX"),
        (["fr"], [], "en"),
        ([], [], "en"),
        (["*"], [], "en"),
        (["*", "en"], [], "de"),
        (["fr", "*"], ["EN"], "de"),
        ([], ["en"], "de"),
        ([], ["en", "de"], "es-MX"),
        (["en-GB"], ["en"], "de"),
        (["es"], ["es-MX"], "en"),
        (["es-MX"], ["es"], "es-MX"),
        (["fr"], ["en", "de", "es"], "en"),
    ],
)
def test_the_nearest_language_is_chosen_and_none_that_is_refused(
    preferred: list[str], refused: list[str], chosen: str
) -> None:
    assert choose_language(["en", "de", "es-MX"], Languages(preferred, refused)) == chosen
