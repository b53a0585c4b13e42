"""The day is recorded once, and never goes back."""

from lrs.derivation.tick import AS_OF, DAY, Ticker
from lrs.tables.recorded import COMMONS
from tests.engines import Engine

DAY_SECONDS = 86_400


def test_day_is_recorded_once_and_again_when_it_is_over(engine: Engine) -> None:
    commons = engine.open().recorded(COMMONS)
    ticker = Ticker(commons, engine.clock)
    assert ticker.day() is None
    assert ticker.tick()
    assert ticker.day() == "2023-11-14"
    assert not ticker.tick()
    engine.clock.move(DAY_SECONDS)
    assert ticker.tick()
    entries = [one.after for one in commons.read_entries(0, 10) if one.kind == DAY]
    assert entries == [{"day": "2023-11-14"}, {"day": "2023-11-15"}]


def test_day_stays_when_a_clock_goes_back(engine: Engine) -> None:
    commons = engine.open().recorded(COMMONS)
    ticker = Ticker(commons, engine.clock)
    ticker.tick()
    engine.clock.move(-3 * DAY_SECONDS)
    assert not ticker.tick()
    found = commons.find(DAY, AS_OF)
    assert found is not None
    assert found.value == {"day": "2023-11-14"}
