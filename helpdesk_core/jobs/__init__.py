"""Jobs and the delivery of events: rows that are leased, tried again, and never lost."""

from helpdesk_core.jobs.bell import Bell
from helpdesk_core.jobs.declared import Job, JobContext, Retries, check_schedule, job, last_slot
from helpdesk_core.jobs.pool import Pool
from helpdesk_core.jobs.queue import ScheduleSlot, StoredJob, enqueue
from helpdesk_core.jobs.registry import Registry, Tenants
from helpdesk_core.jobs.running import Runner
from helpdesk_core.jobs.within import taking_part

__all__ = [
    "Bell",
    "Job",
    "JobContext",
    "Pool",
    "Registry",
    "Retries",
    "Runner",
    "ScheduleSlot",
    "StoredJob",
    "Tenants",
    "check_schedule",
    "enqueue",
    "job",
    "last_slot",
    "taking_part",
]
