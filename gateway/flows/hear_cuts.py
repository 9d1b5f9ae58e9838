"""cut.answer and cut.query: the hospital is heard about a cut, and both sides see where it stands.

社会保险服务机构及其相关责任人员有权进行陈述、申辩。（社会保险经办条例 第四十三条）
"""

from dataclasses import replace

from gateway.domain.commands import AnswerCut, QueryCuts
from gateway.domain.cut import MOST_CUTS, Cut, CutState, Statement
from gateway.domain.findings import Finding
from gateway.domain.party import PartyKind
from gateway.domain.results import CutsFound
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, answered, applied, refused
from gateway.flows.raise_cuts import told_to
from gateway.rules.cuts import answer_faults
from gateway.store.cuts import changed_cut, cut_by_no, cuts_of_stay
from gateway.store.stays import stay_file


async def answer_cut(desk: Desk, caller: Caller, command: AnswerCut) -> Plan:
    """Take the hospital's statement; it may add to it until the decision."""
    async with desk.database.reading() as reader:
        found = await cut_by_no(reader, command.cut_no)
    if found is None or found.hospital != caller.party_id:
        return refused(Finding("CUT_NOT_FOUND", "CutNo", command.cut_no))
    faults = answer_faults(found, command)
    if faults:
        return refused(*faults, subject=found.admission_id)
    heard = replace(
        found,
        state=CutState.ANSWERED,
        heard_on=found.heard_on or desk.today,
        statements=(*found.statements, _statement(desk, found, command)),
    )
    return applied(
        heard,
        subject=found.admission_id,
        writes=(changed_cut(found, heard),),
        acts=(_act(found, heard, command),),
        notices=(told_to(desk.agency_id, heard),),
    )


def _statement(desk: Desk, one: Cut, command: AnswerCut) -> Statement:
    return Statement(
        accepted=command.accepted,
        by=command.by,
        reason=command.reason,
        documents=command.documents,
        at=desk.clock.now(),
        late=one.overdue(desk.today),
    )


def _act(before: Cut, after: Cut, command: AnswerCut) -> Act:
    return Act(
        action="cut.answer",
        subject=after.admission_id,
        from_state=before.state,
        to_state=after.state,
        code=after.cut_no,
        reason=f"{command.by} {'accepted' if command.accepted else 'objected'} {command.reason}",
    )


async def query_cuts(desk: Desk, caller: Caller, command: QueryCuts) -> Plan:
    """The cuts of a stay: of its own for a hospital, of every stay for the agency."""
    async with desk.database.reading() as reader:
        file = await stay_file(reader, command.admission_id)
        mine = caller.party.kind is PartyKind.AGENCY or (
            file is not None and file.stay.hospital == caller.party_id
        )
        if file is None or not mine:
            return refused(Finding("ADMISSION_NOT_FOUND", "AdmissionId", command.admission_id))
        cuts = await cuts_of_stay(reader, command.admission_id)
    return answered(
        CutsFound(cuts=tuple(cuts[-MOST_CUTS:])), subject=command.admission_id, action="cut.query"
    )
