"""Release jobs: held bills and registrations to look at again."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select

from gateway.store.database import Reader
from gateway.store.tables import release_job
from gateway.store.types import INTEGER

OPEN, DONE = "OPEN", "DONE"


_OPEN_JOBS: Final = (
    select(release_job)
    .where(release_job.c.state == OPEN)
    .order_by(release_job.c.created_us, release_job.c.job_id)
    .limit(bindparam("most", type_=INTEGER))
)


async def open_jobs(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    return await reader.rows(_OPEN_JOBS, {"most": limit})
