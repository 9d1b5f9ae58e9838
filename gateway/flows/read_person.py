"""person.read and case.query: only by identity number and name together, alike for the unknown
and the forbidden; every read is audited."""

from gateway.domain.case import CaseFacts
from gateway.domain.commands import Identity, QueryCase, ReadPerson
from gateway.domain.results import ApprovalSummary, CasesFound, CaseSummary, PersonRead
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, answered
from gateway.store.cases import case_detail, cases_of_person
from gateway.store.database import Reader
from gateway.store.persons import Person, person_by_identity, same_name


async def read_person(desk: Desk, caller: Caller, command: ReadPerson) -> Plan:
    """Whether the person is known, has cases, and whether the card is lost."""
    async with desk.database.reading() as reader:
        person = await _matching(reader, command.person)
        if person is None:
            return answered(PersonRead(known=False), action="person.read")
        cases = await cases_of_person(reader, person.person_id)
    if not cases:
        # Only some hospital named this person: to others that is as good as nobody.
        return answered(PersonRead(known=False), action="person.read")
    result = PersonRead(known=True, card_lost=person.card_lost, cases=len(cases))
    return answered(result, subject=person.person_id, action="person.read")


async def query_case(desk: Desk, caller: Caller, command: QueryCase) -> Plan:
    """The person's cases with state, decision and approvals."""
    async with desk.database.reading() as reader:
        person = await _matching(reader, command.person)
        if person is None:
            return answered(CasesFound(cases=()), action="case.query")
        cases = [
            case
            for case in await cases_of_person(reader, person.person_id)
            if command.case_no in ("", case.case_no)
        ]
        found = tuple([await _summary(reader, case) for case in cases])
    return answered(CasesFound(cases=found), subject=person.person_id, action="case.query")


async def _matching(reader: Reader, identity: Identity) -> Person | None:
    person = await person_by_identity(reader, identity)
    return person if person is not None and same_name(person, identity) else None


async def _summary(reader: Reader, case: CaseFacts) -> CaseSummary:
    detail = await case_detail(reader, case.case_no)
    return CaseSummary(
        case_no=case.case_no,
        state=case.state,
        injured_on=case.injured_on,
        decision_no=case.decision_no,
        injured_parts=str(detail.get("injured_parts", "")),
        approvals=tuple(
            ApprovalSummary(
                approval_no=one.approval_no,
                kind=one.kind,
                valid_from=one.valid_from,
                valid_to=one.valid_to,
                authority_kind=one.authority_kind,
                authority=one.authority,
                hospitals=tuple(sorted(one.hospitals)),
                area=one.area,
            )
            for one in case.approvals
        ),
    )
