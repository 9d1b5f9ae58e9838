"""Cases with everything that was decided about them."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import literal, or_, select

from gateway.domain.case import CaseFacts
from gateway.store.database import Reader
from gateway.store.rows import case_of, cut, labelled
from gateway.store.tables import case_fact, person, work_case


async def case_by_no(reader: Reader, case_no: str) -> CaseFacts | None:
    """The case with approvals, stops and arrears."""
    found = await _cases(reader, work_case.c.case_no == case_no)
    return found[0] if found else None


async def cases_of_person(reader: Reader, person_id: str) -> list[CaseFacts]:
    return await _cases(reader, work_case.c.person_id == person_id)


async def cases_of_employer(reader: Reader, employer_no: str) -> list[CaseFacts]:
    """The cases reported with the employer, and those in which it was named beside another."""
    named = select(case_fact.c.subject).where(
        case_fact.c.kind == "employer", case_fact.c.fact_no == employer_no
    )
    tied = literal("case:").concat(work_case.c.case_no).in_(named)
    return await _cases(reader, or_(work_case.c.employer_no == employer_no, tied))


async def case_detail(reader: Reader, case_no: str) -> dict[str, Any]:
    """The personal part of a case: employer's name, injured parts, diagnoses, reporter."""
    here = work_case.c.record_key.is_not(None)
    query = select(work_case).where(work_case.c.case_no == case_no, here)
    found = await reader.opened(work_case, query)
    detail: dict[str, Any] = msgspec.json.decode(found[0]["detail"]) if found else {}
    return detail


def subjects(case_no: str, employer_no: str) -> tuple[str, str]:
    """Under which subjects the facts of a case are kept."""
    return f"case:{case_no}", f"employer:{employer_no}"


FACTS_OF_CASE: Final = case_fact.c.subject.in_(
    [
        literal("case:").concat(work_case.c.case_no),
        literal("employer:").concat(work_case.c.employer_no),
    ]
)
"""Approvals and stops of a case, arrears of its employer: as `subjects` names them."""

ORDER_OF_FACTS: Final = (case_fact.c.subject, case_fact.c.kind, case_fact.c.fact_no)
"""PostgreSQL promises no order by itself, and a decision must not depend on one."""


def with_facts(
    rows: Iterable[dict[str, Any]], key: str
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Rows joined with facts labelled `f`, each once by its key, with all its facts."""
    found: dict[Any, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for row in rows:
        _, facts = found.setdefault(row[key], (row, []))
        fact = cut(row, case_fact, "f")
        if fact is not None:
            facts.append(fact)
    return list(found.values())


Grouped = list[tuple[dict[str, Any], list[dict[str, Any]]]]


async def with_other_employers(reader: Reader, found: Grouped) -> Grouped:
    """The same with the arrears and joining of the other employers that the facts name."""
    named = {
        f"employer:{fact['fact_no']}"
        for _, facts in found
        for fact in facts
        if fact["kind"] == "employer"
    }
    if not named:
        return found
    query = select(case_fact).where(case_fact.c.subject.in_(named))
    rows = await reader.rows(query.order_by(*ORDER_OF_FACTS))
    for _, facts in found:
        wanted = {f"employer:{one['fact_no']}" for one in facts if one["kind"] == "employer"}
        kept = {one["subject"] for one in facts}
        facts += [dict(row) for row in rows if row["subject"] in wanted - kept]
    return found


async def _cases(reader: Reader, condition: Any) -> list[CaseFacts]:
    query = (
        select(work_case, person.c.card_lost, *labelled(case_fact, "f"))
        .select_from(work_case)
        .join(person, person.c.person_id == work_case.c.person_id)
        .outerjoin(case_fact, FACTS_OF_CASE)
        .where(condition, work_case.c.record_key.is_not(None))
        .order_by(work_case.c.case_no, *ORDER_OF_FACTS)
    )
    rows = await reader.rows(query)
    found = await with_other_employers(reader, with_facts(rows, "case_no"))
    return [
        case_of(reader.vault, row, facts, card_lost=bool(row["card_lost"])) for row, facts in found
    ]
