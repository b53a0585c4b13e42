"""Links that learners make to their portfolios: what they show, and when they end."""

import re

import pytest
from flask.testing import FlaskClient

from lrs.portfolios.shares import MOST_OPEN, ShareWish
from tests.http.conftest import Instance
from tests.http.portfolio.learners import (
    CARD_TEXT,
    HTML,
    ITEM,
    align,
    derive,
    get,
    learner,
    make_link,
    send,
    sign_in,
    sign_in_wren,
)


def stranger(instance: Instance) -> FlaskClient:
    """Somebody who is not signed in."""
    return instance.app.test_client()


def test_a_link_shows_the_portfolio_without_what_is_the_learners_alone(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged, label="For my aunt")
    answer = stranger(merged).get(link, headers=HTML)
    assert answer.status_code == 200
    for text in ("Wren Lanternhill", "Robot fish", "Tide chart 1"):
        assert text in answer.text
    for text in (
        "Who has seen this",
        "Who may see it",
        "For my aunt",
        "wren@example.org",
        "card-7",
        '<form method="post"',
    ):
        assert text not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_link_explains_a_level_too(merged: Instance) -> None:
    align(merged)
    sign_in_wren(merged)
    link = make_link(merged)
    page = stranger(merged).get(link, headers=HTML).text
    assert f"{link}/why?item={ITEM}" in page
    assert "Tide chart 1" in stranger(merged).get(f"{link}/why?item={ITEM}", headers=HTML).text


def test_a_link_that_is_no_longer_open_says_so_and_not_whose_it_was(merged: Instance) -> None:
    sign_in_wren(merged)
    ended, closed = make_link(merged, days="7"), make_link(merged, days="30", label="close me")
    [share] = [
        one
        for one in merged.services.portfolios.list_shares(merged.services.learners.own(learner(merged)))
        if one.label
    ]
    assert send(merged, "/portfolio/shares/closing", share=share.id).status_code == 303
    merged.clock.move(7 * 86_400)
    answers = [
        stranger(merged).get(path, headers=HTML) for path in (ended, closed, "/portfolio/shared/nothing")
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    texts = {re.sub(r"error\d+", "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert "This link is no longer open" in texts.pop()
    assert stranger(merged).get(f"{closed}/why?item={ITEM}", headers=HTML).status_code == 404


def test_a_link_is_noted_once_for_each_day_on_which_it_was_opened(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged)
    assert "nobody has opened it yet" in get(merged)
    for _ in range(2):
        for _ in range(3):
            stranger(merged).get(link)
        merged.clock.move(86_400)
    assert "opened on 2 days, the last time on 15 November 2023" in get(merged)


def test_a_merge_never_widens_a_link(city: Instance) -> None:
    align(city)
    sign_in_wren(city)
    link = make_link(city)
    city.services.learners.link("mailto:wren@example.org", CARD_TEXT, "test")
    derive(city)
    page = stranger(city).get(link, headers=HTML).text
    assert "Tide chart 1" in page
    assert "Steady in MS.2" in page
    assert "Robot fish" not in page
    assert "Museum" not in page
    sign_in_wren(city)
    assert "Robot fish" in stranger(city).get(make_link(city), headers=HTML).text


def test_a_link_to_a_transcript_opens_no_portfolio(city: Instance) -> None:
    handle = city.services.learners.own(learner(city))
    token = city.services.portfolios.create_share(
        handle, ShareWish("transcript", 30, "", "school", "to-college")
    )
    assert stranger(city).get(f"/portfolio/shared/{token}", headers=HTML).status_code == 404
    share = city.services.portfolios.open_share(token, "transcript")
    assert (share.handle, share.institution, share.crosswalk) == (handle, "school", "to-college")


def test_nobody_closes_the_link_of_another(merged: Instance) -> None:
    sign_in_wren(merged)
    link = make_link(merged)
    [share] = merged.services.portfolios.list_shares(merged.services.learners.own(learner(merged)))
    sign_in(merged, learner(merged, "mailto:ash@example.org"))
    assert send(merged, "/portfolio/shares/closing", share=share.id).status_code == 404
    assert send(merged, "/portfolio/shares/closing", share="").status_code == 404
    assert stranger(merged).get(link).status_code == 200


@pytest.mark.parametrize("fields", [{"days": "0"}, {"days": "367"}, {"days": ""}, {"label": "x" * 61}])
def test_a_wrong_wish_is_said_beside_the_form(steady: Instance, fields: dict[str, str]) -> None:
    sign_in_wren(steady)
    answer = send(steady, "/portfolio/shares", **{"label": "", "days": "30", **fields})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "Wren Lanternhill" in answer.text


def test_there_is_an_end_to_how_many_links_are_open_and_the_page_stays_light(merged: Instance) -> None:
    sign_in_wren(merged)
    handle = merged.services.learners.own(learner(merged))
    for _ in range(MOST_OPEN):
        merged.services.portfolios.create_share(handle, ShareWish())
    answer = send(merged, "/portfolio/shares", label="", days="30")
    assert answer.status_code == 400
    assert "There are 50 links open" in answer.text
    for share in merged.services.portfolios.list_shares(handle):
        merged.services.portfolios.revoke_share(handle, share.id)
    page = get(merged)
    assert page.count("It is closed.") == 3
    make_link(merged)
