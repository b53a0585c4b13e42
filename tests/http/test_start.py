"""``/``: where whoever has the address alone goes on from."""

from lrs.access.model import Role
from tests.engines import Engine
from tests.http.conftest import Instance, make_instance
from tests.http.portfolio.learners import sign_in
from tests.http.posting import sign_in as sign_in_provider


def test_strangers_are_told_how_people_and_systems_come_in(embedded: Instance) -> None:
    answer = embedded.client.get("/")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "Open the link that you were given" in answer.text
    assert f"<code>{embedded.services.settings.public_url}/xapi</code>" in answer.text
    assert 'href="/api/docs"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_names_no_institution(embedded: Instance) -> None:
    embedded.key("School")
    assert "School" not in embedded.client.get("/").text


def test_a_provider_who_is_signed_in_is_led_to_their_page(embedded: Instance) -> None:
    embedded.key()
    sign_in_provider(embedded, "School")
    answer = embedded.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/arrivals")


def test_everybody_who_is_signed_in_is_led_to_their_page(embedded: Instance) -> None:
    embedded.key()
    sign_in(embedded, None, Role.REGISTRAR)
    answer = embedded.client.get("/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/transcripts")


def test_whoever_signed_out_is_a_stranger_again(embedded: Instance) -> None:
    embedded.key()
    sign_in_provider(embedded, "School")
    embedded.client.post("/sign-out")
    assert embedded.client.get("/").status_code == 200


def test_it_stands_at_the_base_path_with_a_slash_behind_it_or_without(sqlite: Engine) -> None:
    below = make_instance(sqlite, LRS_BASE_PATH="/lrs", LRS_PUBLIC_URL="https://example.org/lrs")
    answers = [below.client.get(path) for path in ("/lrs", "/lrs/")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text


def test_nothing_is_asked_by_parameters(embedded: Instance) -> None:
    assert embedded.client.get("/?page=2").status_code == 400
