"""Applications for approvals 审批申请 and their answers, each written once; what they say of a
person are personal columns."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import select

from gateway.domain.application import Application, ApplicationState, Wanted
from gateway.domain.case import ApprovalKind
from gateway.domain.commands import QueryApprovals
from gateway.store.database import Reader
from gateway.store.frozen import plain, restored
from gateway.store.rows import canonical, cut, day, day_text, labelled
from gateway.store.tables import application, application_answer
from gateway.store.unit import Insert

_PAGE = 100
_ANSWERED: Final = (
    select(*labelled(application, "q"), *labelled(application_answer, "a"))
    .select_from(application)
    .outerjoin(
        application_answer, application_answer.c.application_id == application.c.application_id
    )
    .order_by(application.c.application_id)
)
"""Applications with their answer, if there is one."""


async def application_by_id(reader: Reader, application_id: str) -> tuple[Application, str] | None:
    """The application, and the message that it came with."""
    query = _ANSWERED.where(application.c.application_id == application_id)
    row = await reader.row(query)
    return (_application(reader, row), str(row["q_message_id"])) if row else None


async def open_application(
    reader: Reader, hospital: str, case_no: str, kind: ApprovalKind, wanted_from: date
) -> str | None:
    """The hospital's application of this kind from this day that waits already, if any."""
    query = _ANSWERED.where(
        application.c.hospital == hospital,
        application.c.case_no == case_no,
        application.c.kind == kind.value,
        application.c.wanted_from == wanted_from.isoformat(),
        application_answer.c.application_id.is_(None),
    )
    row = await reader.row(query)
    return None if row is None else str(row["q_application_id"])


async def applications_after(
    reader: Reader, hospital: str, asked: QueryApprovals
) -> tuple[tuple[Application, ...], bool]:
    """At most 100 applications after an id, of one hospital or ("") of all, and whether there
    are more."""
    query = _ANSWERED.where(application.c.application_id > asked.after)
    if hospital:
        query = query.where(application.c.hospital == hospital)
    if asked.application_id:
        query = query.where(application.c.application_id == asked.application_id)
    if asked.state is ApplicationState.APPLIED:
        query = query.where(application_answer.c.application_id.is_(None))
    elif asked.state is not None:
        query = query.where(application_answer.c.state == asked.state.value)
    rows = await reader.rows(query.limit(_PAGE + 1))
    return tuple(_application(reader, row) for row in rows[:_PAGE]), len(rows) > _PAGE


def application_row(one: Application, message_id: str) -> Insert:
    """A new application, with the message that it came with."""
    wanted = one.wanted
    row = {
        "application_id": one.application_id,
        "hospital": one.hospital,
        "case_no": one.case_no,
        "admission_id": wanted.admission_id,
        "kind": wanted.kind.value,
        "applied_on": one.applied_on.isoformat(),
        "wanted_from": wanted.wanted_from.isoformat(),
        "wanted_to": wanted.wanted_to.isoformat(),
        "transferred_on": day_text(wanted.transferred_on),
        "message_id": message_id,
        "detail": canonical(plain(wanted)),
    }
    return Insert(application, [row])


def answer_row(one: Application) -> Insert:
    """The answer to an application; a second one raises KeyTaken."""
    row = {
        "application_id": one.application_id,
        "state": one.state.value,
        "granted": None if one.granted is None else int(one.granted),
        "approval_no": one.approval_no,
        "answered_on": day_text(one.answered_on),
        "reason": one.reason,
    }
    return Insert(application_answer, [row])


def _application(reader: Reader, row: Mapping[str, Any]) -> Application:
    own, answer = cut(row, application, "q"), cut(row, application_answer, "a")
    if own is None:
        raise AssertionError("an answer without its application")
    made = Application(
        application_id=own["application_id"],
        hospital=own["hospital"],
        case_no=own["case_no"],
        state=ApplicationState.APPLIED,
        applied_on=date.fromisoformat(own["applied_on"]),
        wanted=restored(Wanted, msgspec.json.decode(reader.vault.open(application, own)["detail"])),
    )
    return made if answer is None else _answered(reader, made, answer)


def _answered(reader: Reader, made: Application, answer: Mapping[str, Any]) -> Application:
    granted = answer["granted"]
    return replace(
        made,
        state=ApplicationState(answer["state"]),
        granted=None if granted is None else bool(granted),
        approval_no=answer["approval_no"],
        reason=reader.vault.open(application_answer, answer)["reason"].decode(),
        answered_on=day(answer["answered_on"]),
    )
