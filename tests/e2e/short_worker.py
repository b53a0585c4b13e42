"""A worker whose leases last two seconds, for tests that kill and pause it."""

from config.settings import read_settings
from lrs.jobs.runner import JobRunner
from lrs.services import build_services
from lrs.worker import work_until_asked_to_end

LEASE_SECONDS = 2.0

if __name__ == "__main__":
    services = build_services(read_settings())
    outside = services.outside
    runner = JobRunner(services.stores.jobs, services.jobs.jobs, outside.clock, outside.new_id, LEASE_SECONDS)
    print("ready", flush=True)
    work_until_asked_to_end(runner)
    services.close()
