"""Cases with everything that was decided about them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from gateway.domain.case import CaseFacts
from gateway.store.database import Reader
from gateway.store.rows import case_of
from gateway.store.tables import case_fact, person, work_case


async def case_by_no(reader: Reader, case_no: str) -> CaseFacts | None:
    """The case with approvals, stops and arrears."""
    found = await _with_facts(reader, work_case.c.case_no == case_no)
    return found[0] if found else None


async def cases_of_person(reader: Reader, person_id: str) -> list[CaseFacts]:
    return await _with_facts(reader, work_case.c.person_id == person_id)


async def cases_of_employer(reader: Reader, employer_no: str) -> list[CaseFacts]:
    return await _with_facts(reader, work_case.c.employer_no == employer_no)


async def case_detail(reader: Reader, case_no: str) -> dict[str, Any]:
    """The personal part of a case: employer's name, injured parts, diagnoses, reporter."""
    query = select(work_case).where(work_case.c.case_no == case_no)
    found = await reader.opened(work_case, query)
    detail: dict[str, Any] = json.loads(found[0]["detail"]) if found else {}
    return detail


async def facts_of(reader: Reader, subjects: Iterable[str]) -> Sequence[dict[str, Any]]:
    """Approvals and stops of a case, arrears of an employer."""
    return await reader.rows(select(case_fact).where(case_fact.c.subject.in_(list(subjects))))


async def fact(reader: Reader, subject: str, kind: str, fact_no: str) -> dict[str, Any] | None:
    return await reader.row(
        select(case_fact).where(
            case_fact.c.subject == subject,
            case_fact.c.kind == kind,
            case_fact.c.fact_no == fact_no,
        )
    )


def subjects(case_no: str, employer_no: str) -> tuple[str, str]:
    """Under which subjects the facts of a case are kept."""
    return f"case:{case_no}", f"employer:{employer_no}"


async def _with_facts(reader: Reader, condition: Any) -> list[CaseFacts]:
    query = (
        select(work_case, person.c.card_lost)
        .join(person, person.c.person_id == work_case.c.person_id)
        .where(condition)
        .order_by(work_case.c.case_no)
    )
    rows = await reader.rows(query)
    if not rows:
        return []
    wanted = {name for row in rows for name in subjects(row["case_no"], row["employer_no"])}
    facts = await facts_of(reader, wanted)
    return [_one(row, facts) for row in rows]


def _one(row: dict[str, Any], facts: Sequence[dict[str, Any]]) -> CaseFacts:
    mine = subjects(row["case_no"], row["employer_no"])
    own = [found for found in facts if found["subject"] in mine]
    return case_of(row, own, card_lost=bool(row["card_lost"]))
