"""Stays registered before their case could be found: they take it by the person."""

from collections.abc import Iterable
from datetime import date

from gateway.store import tables
from gateway.store.stays import StayFile
from gateway.store.unit import Change, Write


def since_injury(stays: Iterable[StayFile], injured_on: date) -> list[StayFile]:
    """Those of a person's stays without a case that began on the day of the injury or later."""
    return [
        file
        for file in stays
        if file.case is None and file.row["live"] and file.stay.admitted_on >= injured_on
    ]


def linked(files: Iterable[StayFile], case_no: str) -> tuple[Write, ...]:
    """Each of them takes this case."""
    return tuple(_linked(file, case_no) for file in files)


def _linked(file: StayFile, case_no: str) -> Write:
    where = {"admission_id": file.stay.admission_id, "version": file.stay.version}
    values = {"case_no": case_no, "version": file.stay.version + 1}
    return Change(tables.admission, where, values)
