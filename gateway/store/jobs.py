"""Release jobs: held bills and registrations to look at again."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select

from gateway.store.database import Reader
from gateway.store.tables import release_job
from gateway.store.types import INTEGER
from gateway.store.unit import Change, Insert, Write

OPEN, DONE = "OPEN", "DONE"


_OPEN_JOBS: Final = (
    select(release_job)
    .where(release_job.c.state == OPEN)
    .order_by(release_job.c.created_us, release_job.c.job_id)
    .limit(bindparam("most", type_=INTEGER))
)


async def open_jobs(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    return await reader.rows(_OPEN_JOBS, {"most": limit})


def brings_jobs(writes: Iterable[Write]) -> bool:
    """Whether what is written leaves something to release, or to look at beside."""
    return any(
        one.table is release_job
        if isinstance(one, Insert)
        else isinstance(one, Change) and bool(one.values.get("unseen"))
        for one in writes
    )
