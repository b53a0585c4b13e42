"""A term at the museum: class visits, exhibits met on free days, workshops, ratings."""

from datetime import datetime

from profiles.demo_city.city import Json, Person
from profiles.demo_city.diary import SATURDAY, THURSDAY, WEDNESDAY, Diary, duration, parent


def write_museum(diary: Diary) -> None:
    """Write four weeks of the museum."""
    days = diary.days
    _class_visit(diary, next(day for day in days[7:] if day.weekday() == WEDNESDAY), "8A")
    _class_visit(diary, next(day for day in days[14:] if day.weekday() == THURSDAY), "10B")
    for day in days:
        if day.weekday() >= SATURDAY:
            _free_visits(diary, day)
    saturdays = [day for day in days if day.weekday() == SATURDAY]
    for day, workshop in zip(saturdays[1:], diary.offers["workshops"], strict=False):
        _workshop(diary, day, workshop)


def _exhibition(diary: Diary, exhibition: Json) -> Json:
    return diary.activity(f"exhibitions/{exhibition['id']}", exhibition["name"], "module")


def _class_visit(diary: Diary, day: datetime, class_: str) -> None:
    learners = diary.city.known_to("museum", class_)
    exhibition = diary.offers["exhibitions"][0 if class_ == "8A" else 1]
    diary.write(
        f"visit/{class_}",
        diary.moment(day, 10, 10.5),
        diary.group(f"Class {class_} of Port Amaris Harbour School", learners),
        "attended",
        object=_exhibition(diary, exhibition),
        result={"completion": True, "duration": duration(105)},
        context={
            "instructor": diary.staff("guide-sea"),
            "platform": diary.provider.platform,
            "extensions": {
                diary.iri("xapi", "ticket"): "school class",
                diary.iri("xapi", "floor"): exhibition["floor"],
            },
        },
    )
    for learner in learners:
        _meet(diary, day, learner, exhibition, diary.rng.choice(exhibition["exhibits"]))


def _meet(diary: Diary, day: datetime, learner: Person, exhibition: Json, exhibit: Json) -> None:
    path = f"exhibitions/{exhibition['id']}/{exhibit['id']}"
    diary.write(
        f"exhibit/{day.date()}/{exhibit['id']}/{learner.id}",
        diary.moment(day, 10.5, 12),
        learner.agent(diary.provider),
        "experienced",
        object=diary.activity(path, exhibit["name"], "interaction", moreInfo=diary.iri(path, "story")),
        result={"duration": f"PT{diary.rng.randint(40, 599)}S"},
        context={
            "platform": diary.provider.platform,
            "language": diary.rng.choice(("en", "es")),
            "contextActivities": {"parent": [parent(_exhibition(diary, exhibition))]},
            "extensions": {diary.iri("xapi", "floor"): exhibition["floor"]},
        },
    )


def _free_visits(diary: Diary, day: datetime) -> None:
    for learner in diary.city.known_to("museum"):
        if diary.chance(0.18):
            exhibition = diary.rng.choice(diary.offers["exhibitions"])
            for exhibit in exhibition["exhibits"]:
                _meet(diary, day, learner, exhibition, exhibit)
            _rating(diary, day, learner, exhibition)


def _rating(diary: Diary, day: datetime, learner: Person, exhibition: Json) -> None:
    stars = diary.rng.randint(2, 5)
    diary.write(
        f"rating/{day.date()}/{exhibition['id']}/{learner.id}",
        diary.moment(day, 12, 12.5),
        learner.agent(diary.provider),
        "rated",
        object=_exhibition(diary, exhibition),
        result={"score": {"raw": stars, "min": 1, "max": 5}},
        context={"platform": diary.provider.platform},
    )


def _workshop(diary: Diary, day: datetime, workshop: Json) -> None:
    """Write a workshop: one record of who came, and one for each who finished."""
    members = diary.rng.sample(diary.city.known_to("museum"), 7)
    activity = diary.activity(f"workshops/{workshop['id']}", workshop["name"], "meeting")
    diary.write(
        f"workshop/{workshop['id']}",
        diary.moment(day, 14, 14.2),
        diary.group("Saturday workshop", members, f"workshop-{workshop['id']}-{day.date()}"),
        "attended",
        object=activity,
        result={"duration": duration(workshop["minutes"])},
        context={"instructor": diary.staff("guide-sea")},
    )
    for learner in members:
        finished = diary.chance(0.8)
        diary.write(
            f"workshop/{workshop['id']}/{learner.id}",
            diary.moment(day, 16.6, 17),
            learner.agent(diary.provider),
            "completed" if finished else "experienced",
            object=activity,
            result={"completion": finished, "extensions": {diary.iri("xapi", "took-home"): finished}},
            context={"instructor": diary.staff("guide-sea"), "platform": diary.provider.platform},
        )
