"""A worker that derives in tiny steps, with a rest at each, so that a kill strikes inside one.

Its leases last a second. Writes a line at every step.
"""

import time

from config.settings import read_settings
from lrs.derivation.deriver import Deriver
from lrs.derivation.reading import Pace
from lrs.jobs.model import Job, Report, Running
from lrs.jobs.runner import JobRunner
from lrs.services import build_services

LEASE_SECONDS = 1.0
PACE = Pace(entries=3, pages=2, marked=2, made=2)
REST_SECONDS = 0.004

if __name__ == "__main__":
    services = build_services(read_settings())
    outside, stores = services.outside, services.stores
    deriver = Deriver(services.deriving, stores.derived, PACE)

    def derive(running: Running) -> Report:
        def keep() -> None:
            print("step", flush=True)
            time.sleep(REST_SECONDS)
            running.keep()

        done = deriver.run(running.epoch, keep)
        return Report(done.read, done.wrote)

    job = Job("derive", "Derives slowly.", 1, derive, is_behind=deriver.is_behind)
    runner = JobRunner(stores.jobs, [job], outside.clock, outside.new_id, LEASE_SECONDS)
    print("ready", flush=True)
    while True:
        runner.run_if_due("derive")
        time.sleep(0.02)
