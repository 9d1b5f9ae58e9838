"""Finding a stay of the caller: another hospital's is as unknown as none."""

from typing import Final

from gateway.domain.admission import OPEN, BillState
from gateway.domain.findings import Finding
from gateway.flows.desk import Caller
from gateway.store.database import Reader
from gateway.store.stays import StayFile, stay_file

FROZEN: Final = frozenset({BillState.HELD, BillState.SETTLED, BillState.MANUAL})
"""Bills whose lines, diagnoses and discharge stay as they were committed."""


async def own_stay(reader: Reader, caller: Caller, admission_id: str) -> StayFile | Finding:
    """The caller's stay, or the finding that there is none."""
    file = await stay_file(reader, admission_id)
    if file is None or file.stay.hospital != caller.party_id:
        return Finding("ADMISSION_NOT_FOUND", "AdmissionId", admission_id)
    return file


def lines_may_change(file: StayFile) -> Finding | None:
    """Lines may be uploaded in every live state of the registration, and freeze with the bill."""
    if file.stay.state not in OPEN:
        return state_finding(file)
    if file.bill_state in FROZEN:
        return Finding("LINES_FROZEN", "AdmissionId", file.bill_state)
    return None


def state_finding(file: StayFile) -> Finding:
    """The registration's state forbids this."""
    return Finding("ADMISSION_STATE", "AdmissionId", file.stay.state, " | ".join(sorted(OPEN)))


def cancellable(file: StayFile) -> Finding | None:
    """A registration may be undone while nothing hangs on it."""
    if file.row["line_count"] or file.live_settlement or file.bill_state is BillState.HELD:
        return Finding("HAS_DEPENDENTS", "AdmissionId", f"{file.row['line_count']} lines")
    return None if file.stay.state in OPEN else state_finding(file)
