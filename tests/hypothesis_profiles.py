"""How properties are tried: no example fails for taking long on a busy machine.

``--hypothesis-profile=soak`` tries many more examples than the quick default.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", settings.get_profile("quick"), max_examples=5_000)
settings.load_profile("quick")
