"""Signing in by a link and out again: once, not by another site, and for one's own pages alone."""

import re
from pathlib import Path

import pytest

from tests.engines import sqlite_engine
from tests.http.conftest import Instance, make_instance
from tests.http.posting import HTML, sign_in


def test_pages_ask_to_sign_in_when_nobody_is(embedded: Instance) -> None:
    for path in ("/arrivals", "/arrivals/import", "/arrivals/0"):
        answer = embedded.client.get(path, headers=HTML)
        assert answer.status_code == 401
        assert "You are not signed in" in answer.text
        assert "Basic" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("role", "subject"), [("learner", "0123456789ab"), ("registrar", None)])
def test_the_pages_are_closed_to_sessions_of_other_roles(
    embedded: Instance, role: str, subject: str | None
) -> None:
    embedded.key("School")
    session = embedded.access.take_sign_in(embedded.access.create_sign_in("School", role, subject))
    embedded.client.set_cookie("lrs_session", session)
    for path in ("/arrivals", "/arrivals/import"):
        answer = embedded.client.get(path, headers=HTML)
        assert answer.status_code == 403
        assert "This page is not for you" in answer.text
        assert "Nothing has arrived yet" not in answer.text


def test_a_key_opens_no_page(embedded: Instance) -> None:
    assert embedded.client.get("/arrivals", headers={**embedded.key(), **HTML}).status_code == 401


def test_a_link_is_not_used_up_when_it_is_only_opened(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    link = f"/sign-in/{embedded.access.create_sign_in('School')}"
    for _ in range(3):
        assert embedded.client.get(link).status_code == 200
        assert embedded.client.head(link).status_code == 200
    form = re.search(r'name="form" value="([^"]+)"', embedded.client.get(link).text)
    assert form
    assert embedded.client.post(link, data={"form": form[1]}).status_code == 303


def test_a_used_link_says_so_without_saying_whose_it_was(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    token = embedded.access.create_sign_in("School")
    embedded.access.take_sign_in(token)
    for path in (f"/sign-in/{token}", "/sign-in/unknown"):
        form = re.search(r'name="form" value="([^"]+)"', embedded.client.get(path).text)
        assert form
        answer = embedded.client.post(path, data={"form": form[1]}, headers=HTML)
        assert answer.status_code == 404
        assert "no longer good" in answer.text
        assert "School" not in answer.text


@pytest.mark.parametrize("form", [None, "", "guessed"])
def test_another_site_cannot_sign_somebody_in(embedded: Instance, form: str | None) -> None:
    embedded.access.create_institution("School")
    link = f"/sign-in/{embedded.access.create_sign_in('School')}"
    sent = {} if form is None else {"form": form}
    assert embedded.client.post(link, data=sent).status_code == 400
    embedded.client.get(link)
    assert embedded.client.post(link, data=sent).status_code == 400
    assert embedded.client.get_cookie("lrs_session") is None


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    cookie = embedded.client.get_cookie("lrs_session")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.secure) == (True, "Lax", False)


def test_signing_out_ends_the_session(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    cookie = embedded.client.get_cookie("lrs_session")
    assert cookie is not None
    assert "signed out" in embedded.client.post("/sign-out").text
    embedded.client.set_cookie("lrs_session", cookie.value)
    assert embedded.client.get("/arrivals").status_code == 401


def test_another_site_cannot_sign_somebody_out(embedded: Instance) -> None:
    embedded.access.create_institution("School")
    sign_in(embedded, "School")
    # A browser that follows a form of another site leaves out cookies that are SameSite=Lax.
    stranger = embedded.app.test_client(use_cookies=False)
    assert "Set-Cookie" not in stranger.post("/sign-out").headers
    assert embedded.client.get("/arrivals").status_code == 200


def test_cookies_travel_over_https_alone_when_that_is_the_public_address(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path)
    secure = make_instance(engine, LRS_PUBLIC_URL="https://lrs.example.org")
    secure.access.create_institution("School")
    link = f"https://lrs.example.org/sign-in/{secure.access.create_sign_in('School')}"
    shown = secure.client.get(link)
    form = re.search(r'name="form" value="([^"]+)"', shown.text)
    assert form
    answer = secure.client.post(link, data={"form": form[1]})
    cookies = [*shown.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert len(cookies) == 3
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in cookies)
    assert cookies[-1].startswith("__Host-lrs_session=")
    assert "Path=/;" in cookies[-1]
    assert secure.client.get("https://lrs.example.org/arrivals").status_code == 200
    engine.close()
