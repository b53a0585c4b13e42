"""How properties are tried: no example fails for taking long on a busy machine.

Each run tries other examples, so many runs of a few find what one run of many does;
``--hypothesis-profile=soak`` (``make soak``) tries very many at once.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "quick", max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("soak", settings.get_profile("quick"), max_examples=5_000)
settings.load_profile("quick")
