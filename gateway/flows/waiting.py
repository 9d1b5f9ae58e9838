"""Release jobs: what a decision makes worth looking at again."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from gateway.domain.admission import REOPENINGS, AdmissionState, BillState
from gateway.domain.readjudication import Cause, ProposalState
from gateway.domain.results import ReadjudicationChanged
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Act, Notice
from gateway.store import tables
from gateway.store.jobs import OPEN
from gateway.store.stays import StayFile
from gateway.store.unit import Insert, Row, Write

REOPENING: Final = "reopening"
READJUDICATION: Final = "readjudication"
REACHED: Final = "reached"
_UNDECIDED = frozenset({AdmissionState.HELD, AdmissionState.PENDING_CHECK})


def waits(file: StayFile) -> bool:
    """Whether the registration or the bill waits for a decision."""
    return file.stay.state in _UNDECIDED or file.bill_state is BillState.HELD


def look_again(desk: Desk, files: Iterable[StayFile], cause: str) -> tuple[Write, ...]:
    """One release job per waiting stay, in the transaction of the decision."""
    return _jobs(desk, _ids(file for file in files if waits(file)), cause)


def reopen(desk: Desk, files: Iterable[StayFile], decision: str) -> tuple[Write, ...]:
    """One release job per registration refused, to be looked at after a new decision."""
    return _jobs(desk, _ids(files), f"{REOPENING} {decision}")


def decide_again(
    desk: Desk, files: Iterable[StayFile], told: str, cause: Cause = Cause.CASE
) -> tuple[Write, ...]:
    """One job per settled stay, to propose what the correction changes of its settlement."""
    settled = _ids(file for file in files if file.live_settlement)
    return decide_each(desk, settled, told, cause)


def decide_each(
    desk: Desk, admission_ids: Sequence[str], told: str, cause: Cause
) -> tuple[Write, ...]:
    """The same of stays by their number."""
    return _jobs(desk, admission_ids, f"{READJUDICATION} {cause} {told}")


def decide_anew(desk: Desk, admission_ids: Sequence[str], told: str) -> tuple[Write, ...]:
    """The same for every cause, where the book moved: what it rested on may have hidden a
    correction that was told of before, or what was proposed of it fell."""
    policy = f"{desk.policy.digest} {told}"
    words = {Cause.CASE: told, Cause.CATALOGUE: told, Cause.POLICY: policy}
    jobs = (decide_each(desk, admission_ids, said, cause) for cause, said in words.items())
    return tuple(chain.from_iterable(jobs))


def cause_of(job: str) -> Cause:
    """What was corrected, by the cause of a job that `decide_again` wrote."""
    return Cause(job.split()[1])


def told_of(job: str) -> str:
    """What told of it, first of all: of a policy, its digest."""
    return job.split()[2]


def correction_notices(
    desk: Desk, files: Iterable[StayFile], told: str, cause: Cause = Cause.CASE
) -> tuple[Notice, ...]:
    """The agency learns which settlements a correction touches, before anything is proposed."""
    return tuple(
        Notice(
            receiver=desk.agency_id,
            subject=file.stay.admission_id,
            command="readjudication.changed",
            result=ReadjudicationChanged(
                state=ProposalState.TOUCHED,
                settlement_id=file.live_settlement,
                hospital=file.stay.hospital,
                case_no=file.stay.case_no,
                cause=cause,
                note=told,
            ),
        )
        for file in files
        if file.live_settlement
    )


def correction_acts(files: Iterable[StayFile], cause: str) -> tuple[Act, ...]:
    """One audit row for each settlement that a correction touches."""
    return tuple(
        Act(action="readjudication.touched", subject=file.live_settlement, code=cause)
        for file in files
        if file.live_settlement
    )


def reopens(file: StayFile) -> bool:
    """Whether a new decision may take away the ground of the registration's refusal."""
    return file.stay.state is AdmissionState.REFUSED and file.stay.refusal in REOPENINGS


def _ids(files: Iterable[StayFile]) -> list[str]:
    return [file.stay.admission_id for file in files]


def _jobs(desk: Desk, admission_ids: Sequence[str], cause: str) -> tuple[Write, ...]:
    rows = [_row(one, cause, desk.now_us) for one in admission_ids]
    return (Insert(tables.release_job, rows),) if rows else ()


def release_job(admission_id: str, cause: str, created_us: int) -> Insert:
    """One job, whose turn comes after those created before."""
    return Insert(tables.release_job, [_row(admission_id, cause, created_us)])


def _row(admission_id: str, cause: str, created_us: int) -> Row:
    return {
        "job_id": new_id("J"),
        "admission_id": admission_id,
        "cause": cause,
        "state": OPEN,
        "created_us": created_us,
        "done_us": None,
    }
