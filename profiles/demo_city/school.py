"""A term at the school: lessons, questions, tests, assemblies, a comment, a mistake put right, marks."""

from datetime import datetime, timedelta

from profiles.demo_city.city import Json, Person
from profiles.demo_city.diary import BLOCKS, MONDAY, Diary, duration, parent, reference, score

CLASSES = ("8A", "10B")
PASS_MARK = 50


def write_school(diary: Diary) -> None:
    """Write four weeks of the school."""
    school_days = diary.workdays
    for number, day in enumerate(school_days):
        _lessons(diary, day, number)
        _questions(diary, day)
    for day in (day for day in school_days if day.weekday() == MONDAY):
        _assemblies(diary, day)
    for week, course in enumerate(diary.offers["courses"]):
        _test(diary, school_days[5 * week + 4], course)
        if diary.block == BLOCKS - 1:
            _marks(diary, school_days[-2], course)


def _lessons(diary: Diary, day: datetime, number: int) -> None:
    courses = diary.offers["courses"]
    for offset, class_ in enumerate(CLASSES):
        course = courses[(number + offset) % len(courses)]
        lesson = course["lessons"][number // len(courses) % len(course["lessons"])]
        for learner in diary.city.known_to("school", class_):
            if diary.chance(0.87):
                _lesson(diary, day, learner, course, lesson)


def _lesson(diary: Diary, day: datetime, learner: Person, course: Json, lesson: Json) -> None:
    minutes = diary.rng.randint(25, 55)
    diary.write(
        f"lesson/{day.date()}/{learner.id}",
        diary.moment(day, 8.5, 11),
        learner.agent(diary.provider),
        "completed",
        object=diary.activity(f"courses/{course['id']}/{lesson['id']}", lesson["name"], "lesson"),
        result={
            "completion": True,
            "duration": duration(minutes),
            "extensions": {diary.iri("xapi", "pages-read"): minutes // 4},
        },
        context=_context(diary, learner, course, "en"),
    )


def _context(diary: Diary, learner: Person, course: Json, language: str) -> Json:
    course_activity = diary.activity(f"courses/{course['id']}", course["name"], "course")
    return {
        "registration": diary.id_of(f"enrolment/{course['id']}/{learner.id}"),
        "instructor": diary.staff(course["teacher"][learner.group]),
        "revision": course["revision"],
        "platform": diary.provider.platform,
        "language": language,
        "contextActivities": {
            "parent": [parent(course_activity)],
            "grouping": [diary.activity("years/2026", {"en": "School year 2026"}, "course")],
        },
    }


def _questions(diary: Diary, day: datetime) -> None:
    courses = {course["id"]: course for course in diary.offers["courses"]}
    for learner in diary.city.known_to("school"):
        if diary.chance(0.4):
            question = diary.rng.choice(diary.offers["questions"])
            _answer(diary, day, learner, courses[question["course"]], question)


def _answer(diary: Diary, day: datetime, learner: Person, course: Json, question: Json) -> None:
    right = diary.chance(0.65)
    result: Json = {
        "response": question["right"] if right else diary.rng.choice(question["wrong"]),
        "duration": f"PT{diary.rng.randint(4, 90)}.{diary.rng.randint(10, 99)}S",
    }
    if "correctResponsesPattern" in question["definition"]:
        result["success"] = right
    diary.write(
        f"question/{day.date()}/{learner.id}",
        diary.moment(day, 11, 13),
        learner.agent(diary.provider),
        "answered",
        object={
            "objectType": "Activity",
            "id": diary.iri("courses", course["id"], question["id"]),
            "definition": question["definition"],
        },
        result=result,
        context=_context(diary, learner, course, diary.rng.choice(("en", "es"))),
    )


def _assemblies(diary: Diary, day: datetime) -> None:
    for class_ in CLASSES:
        diary.write(
            f"assembly/{day.date()}/{class_}",
            day + timedelta(hours=8, minutes=5),
            diary.group(f"Class {class_}", diary.city.known_to("school", class_), f"class-{class_.lower()}"),
            "attended",
            object=diary.activity("assemblies/monday", {"en": "Monday assembly"}, "meeting"),
            result={"duration": duration(20)},
            context={"platform": diary.provider.platform},
        )


def _test(diary: Diary, day: datetime, course: Json) -> None:
    """Write a test with its marks; the first mark of the first test was another pupil's, and is voided."""
    test, most = course["test"], course["test"]["max"]
    activity = diary.activity(f"courses/{course['id']}/{test['id']}", test["name"], "assessment")
    for learner in diary.city.known_to("school"):
        raw = min(most, max(0, round(diary.rng.gauss(0.68, 0.17) * most * 2) / 2))
        marked = diary.write(
            f"test/{test['id']}/{learner.id}",
            diary.moment(day, 13, 14.5),
            learner.agent(diary.provider),
            "passed" if raw >= most / 2 else "failed",
            object=activity,
            result={"score": score(raw, most), "success": raw >= most / 2, "completion": True},
            context=_context(diary, learner, course, "en"),
        )
        if raw >= 0.95 * most or raw < most / 2:
            _comment(diary, day, learner, course, marked, raw >= most / 2)
    if diary.block == 0 and course is diary.offers["courses"][0]:
        _mistake(diary, day, course, activity)


def _marks(diary: Diary, day: datetime, course: Json) -> None:
    """Write what each learner gets for the course, out of 100, at the end of the term."""
    activity = diary.activity(f"courses/{course['id']}", course["name"], "course")
    for learner in diary.city.known_to("school"):
        mark = min(100, max(52, round(diary.rng.gauss(74, 13))))
        diary.write(
            f"mark/{course['id']}/{learner.id}",
            diary.moment(day, 14, 15.5),
            learner.agent(diary.provider),
            "completed",
            object=activity,
            result={"score": score(mark, 100), "success": mark >= PASS_MARK, "completion": True},
            context={
                "instructor": diary.staff(course["teacher"][learner.group]),
                "platform": diary.provider.platform,
            },
        )


def _comment(diary: Diary, day: datetime, learner: Person, course: Json, marked: str, good: bool) -> None:
    text = (
        "A very clear piece of work."
        if good
        else "Come and see me on Monday; we will go through it together."
    )
    diary.write(
        f"comment/{course['id']}/{learner.id}",
        diary.moment(day, 15, 16),
        diary.staff(course["teacher"][learner.group]),
        "commented",
        object=reference(marked),
        result={"response": text},
        context={"language": "en"},
    )


def _mistake(diary: Diary, day: datetime, course: Json, activity: Json) -> None:
    learner = diary.city.known_to("school")[3]
    most = course["test"]["max"]
    mistaken = diary.write(
        f"mistake/{learner.id}",
        diary.moment(day, 14.6, 14.7),
        learner.agent(diary.provider),
        "failed",
        object=activity,
        result={"score": score(3, most), "success": False, "completion": True},
        context=_context(diary, learner, course, "en"),
    )
    diary.write(
        "mistake/voided",
        diary.moment(day, 16, 16.2),
        diary.staff(course["teacher"][learner.group]),
        "voided",
        object=reference(mistaken),
    )
