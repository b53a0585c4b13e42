"""A term at the employer: safety training, internship shifts, tasks, what mentors say, a plan."""

from datetime import datetime, timedelta

from lrs.vouchers import VOUCHER
from profiles.demo_city.city import Json, Person
from profiles.demo_city.diary import Diary, duration, parent, reference, score

SHIFT_WEEKDAYS = (1, 3)
GOOD_ENOUGH = 2  # on the rubric of four levels


def write_employer(diary: Diary) -> None:
    """Write four weeks of the employer."""
    workdays = diary.workdays
    placements = diary.offers["internships"]
    for number, learner in enumerate(diary.city.known_to("employer")):
        placement = placements[number % len(placements)]
        _training(diary, workdays[0], learner)
        for day in (day for day in workdays if day.weekday() in SHIFT_WEEKDAYS):
            _shift(diary, day, learner, placement)
        for task in diary.offers["tasks"]:
            if task["internship"] == placement["id"]:
                _task(diary, workdays[-3], learner, placement, task)
        _plan(diary, workdays[-2], learner, placement)
        _mentored(diary, workdays[-2], learner, placement)


def _placement(diary: Diary, placement: Json) -> Json:
    return diary.activity(f"internships/{placement['id']}", placement["name"], "course")


def _context(diary: Diary, learner: Person, placement: Json) -> Json:
    return {
        "registration": diary.id_of(f"placement/{learner.id}"),
        "instructor": diary.staff(placement["mentor"]),
        "team": {
            "objectType": "Group",
            "name": f"Crew of the {placement['id'].replace('-', ' ')}",
            "account": {"homePage": diary.iri("crews"), "name": placement["id"]},
        },
        "platform": diary.provider.platform,
        "contextActivities": {"parent": [parent(_placement(diary, placement))]},
        "extensions": {VOUCHER: "mentor"},
    }


def _training(diary: Diary, day: datetime, learner: Person) -> None:
    training = diary.offers["training"]
    raw = diary.rng.randint(12, training["max"])
    passed = raw >= training["pass"]
    diary.write(
        f"training/{learner.id}",
        diary.moment(day, 9, 11),
        learner.agent(diary.provider),
        "passed" if passed else "failed",
        object=diary.activity(f"training/{training['id']}", training["name"], "assessment"),
        result={"score": score(raw, training["max"]), "success": passed, "duration": duration(95)},
        context={"platform": diary.provider.platform, "revision": "7"},
    )


def _shift(diary: Diary, day: datetime, learner: Person, placement: Json) -> None:
    """Write a shift with its hours; now and then the mentor says something about it."""
    if diary.chance(0.1):
        return
    minutes = 30 * diary.rng.randint(5, 9)
    shift = diary.write(
        f"shift/{day.date()}/{learner.id}",
        diary.moment(day, 17, 18.5),
        learner.agent(diary.provider),
        "attended",
        object=_placement(diary, placement),
        result={
            "duration": duration(minutes),
            "response": diary.rng.choice(
                ("Worked with the crew.", "Learned to plan the day.", "Asked for help early.")
            ),
            "extensions": {diary.iri("xapi", "hours"): minutes / 60},
        },
        context=_context(diary, learner, placement),
    )
    if diary.chance(0.25):
        diary.write(
            f"word/{day.date()}/{learner.id}",
            diary.moment(day, 18.5, 19),
            diary.staff(placement["mentor"]),
            "commented",
            object=reference(shift),
            result={
                "response": diary.rng.choice(("Hours confirmed.", "Careful and on time. Hours confirmed."))
            },
        )


def _task(diary: Diary, day: datetime, learner: Person, placement: Json, task: Json) -> None:
    level = diary.rng.randint(1, 4)
    diary.write(
        f"task/{task['id']}/{learner.id}",
        diary.moment(day, 14, 17),
        learner.agent(diary.provider),
        "completed",
        object=diary.activity(f"tasks/{task['id']}", task["name"], "performance"),
        result={
            "completion": True,
            "success": level >= GOOD_ENOUGH,
            "score": {"raw": level, "min": 1, "max": 4},
            "extensions": {diary.iri("xapi", "rubric"): {"craft": level, "care": None, "notes": []}},
        },
        context=_context(diary, learner, placement),
    )


def _plan(diary: Diary, day: datetime, learner: Person, placement: Json) -> None:
    agent = learner.agent(diary.provider)
    diary.write(
        f"plan/{learner.id}",
        diary.moment(day, 12, 13),
        agent,
        "planned",
        object={
            "objectType": "SubStatement",
            "actor": agent,
            "verb": {"id": "http://adlnet.gov/expapi/verbs/completed", "display": {"en": "completed"}},
            "object": _placement(diary, placement),
            "timestamp": diary.stamp(day + timedelta(days=60)),
        },
    )


def _mentored(diary: Diary, day: datetime, learner: Person, placement: Json) -> None:
    diary.write(
        f"mentored/{learner.id}",
        diary.moment(day, 15, 16),
        diary.staff(placement["mentor"]),
        "mentored",
        object=learner.agent(diary.provider),
        result={"duration": duration(30)},
    )
