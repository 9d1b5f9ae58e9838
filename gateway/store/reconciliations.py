"""Reconciliation runs 对账: the latest comparison of a day counts, earlier ones stay."""

from typing import Any

import msgspec
from sqlalchemy import select

from gateway.store.database import Reader
from gateway.store.tables import reconcile_run


async def latest_runs(reader: Reader, day: str) -> list[dict[str, Any]]:
    """Each hospital's latest run of each kind (totals, details) for the day (ISO), by hospital,
    with its detail as parsed JSON; a run that named a person purged since is left out."""
    query = (
        select(reconcile_run)
        .where(reconcile_run.c.day == day, reconcile_run.c.record_key.is_not(None))
        .order_by(reconcile_run.c.hospital, reconcile_run.c.kind, reconcile_run.c.at_us)
    )
    latest = {(row["hospital"], row["kind"]): row for row in await reader.rows(query)}
    opened = (reader.vault.open(reconcile_run, row) for row in latest.values())
    return [{**row, "detail": msgspec.json.decode(row["detail"])} for row in opened]
