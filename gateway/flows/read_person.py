"""person.read and case.query: only by identity number and name together, alike for the unknown
and the forbidden; every read is audited."""

from dataclasses import replace

from gateway.domain.case import CaseFacts
from gateway.domain.commands import Identity, QueryCase, ReadPerson
from gateway.domain.findings import Finding
from gateway.domain.masks import mask_id, mask_name
from gateway.domain.results import ApprovalSummary, CasesFound, CaseSummary, PersonRead, Result
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, answered, refused
from gateway.store.cases import case_detail, cases_of_person
from gateway.store.database import Reader
from gateway.store.persons import Person, person_by_identity, same_name


async def read_person(desk: Desk, caller: Caller, command: ReadPerson) -> Plan:
    """Whether the person is known, has cases, and whether the card is lost."""
    if not desk.searches.takes(caller.party_id, desk.now_us):
        return _limited(command.person)
    person, cases = await found_with_cases(desk, command.person)
    if person is None or not cases:
        # Only some hospital named this person: to others that is as good as nobody.
        return _answered(PersonRead(known=False), None, "person.read", command.person)
    result = PersonRead(known=True, card_lost=person.card_lost, cases=len(cases))
    return _answered(result, person, "person.read", command.person)


async def query_case(desk: Desk, caller: Caller, command: QueryCase) -> Plan:
    """The person's cases with state, decision and approvals."""
    if not desk.searches.takes(caller.party_id, desk.now_us):
        return _limited(command.person)
    person, cases = await found_with_cases(desk, command.person)
    wanted = [case for case in cases if command.case_no in ("", case.case_no)]
    async with desk.database.reading() as reader:
        found = tuple([await _summary(reader, case) for case in wanted])
    return _answered(CasesFound(cases=found), person, "case.query", command.person)


async def found_with_cases(desk: Desk, identity: Identity) -> tuple[Person | None, list[CaseFacts]]:
    """The person of this number and name, with the cases; (None, []) for anybody else."""
    async with desk.database.reading() as reader:
        person = await _matching(reader, identity)
        return person, [] if person is None else await cases_of_person(reader, person.person_id)


def _answered(result: Result, person: Person | None, action: str, asked: Identity) -> Plan:
    subject = "" if person is None else person.person_id
    return answered(result, subject=subject, action=action, reason=masked(asked))


def _limited(asked: Identity) -> Plan:
    plan = refused(Finding("SEARCH_LIMITED"))
    return replace(plan, acts=(replace(plan.acts[0], reason=masked(asked)),))


def masked(identity: Identity) -> str:
    """Whom somebody looked for, as far as an audit row says it."""
    return f"{mask_name(identity.name)} {mask_id(identity.id_no)}"


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
                device_codes=tuple(sorted(one.device_codes)),
            )
            for one in case.approvals
        ),
    )
