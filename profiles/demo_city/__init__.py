"""Port Amaris: an invented city with a school, a museum and an employer.

Nothing here is real: no person, place, address or record. ``city.json``, ``people.json`` and
``offers.json`` say who and what there is; ``make_term`` turns them into twelve weeks of xAPI
statements, the same ones for the same day and the same generator.

    city = load_city()
    term = make_term(city, until=datetime(2026, 11, 21, 18, tzinfo=UTC), rng=Random(7))
    term["museum"]  # statements in order of time, valid in xAPI 1.0.3 and 2.0.0 alike
"""

from profiles.demo_city.city import DemoCity, Person, Provider, load_city
from profiles.demo_city.term import make_term

__all__ = ["DemoCity", "Person", "Provider", "load_city", "make_term"]
