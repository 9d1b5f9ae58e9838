"""Release jobs: held bills and registrations to look at again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from gateway.store.database import Reader
from gateway.store.tables import release_job

OPEN, DONE = "OPEN", "DONE"


async def open_jobs(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    query = select(release_job).where(release_job.c.state == OPEN)
    return await reader.rows(query.order_by(release_job.c.created_us, "job_id").limit(limit))


async def job_by_id(reader: Reader, job_id: str) -> dict[str, Any] | None:
    return await reader.row(select(release_job).where(release_job.c.job_id == job_id))
