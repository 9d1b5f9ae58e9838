"""fees.void and fees.query: take lines back, and see what is kept."""

from gateway.domain.bill import BillLine
from gateway.domain.commands import QueryFees, VoidFees
from gateway.domain.findings import Finding
from gateway.domain.results import FeesFound, FeesVoided
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, answered, applied, refused
from gateway.flows.stay_file import lines_may_change, own_stay
from gateway.flows.upload_fees import totals_changed
from gateway.store import tables
from gateway.store.stays import StayFile, lines_after, related_lines
from gateway.store.unit import Remove

_UNDECIDED = "经办机构未判定的行 / a line that the agency has not decided"


async def void_fees(desk: Desk, caller: Caller, command: VoidFees) -> Plan:
    """Void the lines named, all or none; a line goes only together with its refunds, and none
    that the agency decided."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        fault = lines_may_change(file)
        if fault is not None:
            return refused(fault, subject=file.stay.admission_id)
        found = await related_lines(reader, file.stay.admission_id, command.line_ids)
    faults = _faults(file, command, found)
    if faults:
        return refused(*faults, subject=file.stay.admission_id)
    voided = [found[line_id] for line_id in dict.fromkeys(command.line_ids)]
    count = file.row["line_count"] - len(voided)
    amount = file.row["amount_fen"] - sum(line.amount_fen for line in voided)
    keys = [{"admission_id": file.stay.admission_id, "line_id": line.line_id} for line in voided]
    return applied(
        FeesVoided(voided=len(voided), kept_count=count, kept_amount_fen=amount),
        subject=file.stay.admission_id,
        writes=(totals_changed(file, count, amount), Remove(tables.bill_line, keys)),
        acts=(
            Act(
                action="fees.void",
                subject=file.stay.admission_id,
                code=str(len(voided)),
                reason=command.reason,
            ),
        ),
    )


def _faults(file: StayFile, command: VoidFees, found: dict[str, BillLine]) -> list[Finding]:
    named = dict.fromkeys(command.line_ids)
    missing = [
        Finding("LINE_NOT_FOUND", "LineId", line_id, "", line_id)
        for line_id in command.line_ids
        if line_id not in found
    ]
    held = [
        Finding("LINE_HAS_REFUNDS", "LineId", line.refund_of, line.line_id, line.refund_of)
        for line in found.values()
        if line.refund_of in named and line.line_id not in named
    ]
    decided = [
        Finding("VALUE_CONFLICT", "LineId", line.line_id, _UNDECIDED, line.line_id)
        for line_id in named
        if (line := found.get(line_id)) and (_decided(line) or line_id in file.stay.cut_lines)
    ]
    return missing + held + decided


def _decided(line: BillLine) -> bool:
    """Voiding a decided line and uploading it anew would undo what the agency decided."""
    return line.reviewed or line.limit_met is not None or bool(line.violation)


async def query_fees(desk: Desk, caller: Caller, command: QueryFees) -> Plan:
    """The kept lines after a line id, in order of line id."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        lines, more = await lines_after(reader, file.stay.admission_id, command.after_line_id)
    result = FeesFound(
        lines=lines,
        kept_count=file.row["line_count"],
        kept_amount_fen=file.row["amount_fen"],
        more=more,
    )
    return answered(result, subject=file.stay.admission_id, action="fees.query")
