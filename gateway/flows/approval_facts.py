"""An approval as it is kept, and what is wrong with one before it is: who decided, where, why.

An approval that another authority decided than the region's text names is refused at the door;
where the text is silent it is kept, and the bill that needs it is held for the text.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from gateway.domain.case import PLACE_KINDS, Approval, ApprovalKind, CaseFacts
from gateway.domain.commands import DecideApproval
from gateway.domain.findings import Finding, shown
from gateway.flows.desk import Desk
from gateway.rules.approvals import AUTHORITY
from gateway.store.database import Reader
from gateway.store.frozen import plain
from gateway.store.registry import party_by_id
from gateway.store.stays import StayFile

_DAY: Final = timedelta(days=1)
_CODES: Final = "目录编码 / codes of the catalogue"


async def approval_faults(
    desk: Desk, reader: Reader, command: DecideApproval, stays: Iterable[StayFile]
) -> list[Finding]:
    """Why an approval cannot be kept; everything at once. What is taken back needs no ground.

    `stays` are those of the case: their hospitals are known without another look.
    """
    if command.valid_to < command.valid_from:
        return [Finding("VALUE_CONFLICT", "ValidTo", str(command.valid_to))]
    if not command.granted:
        return []
    found = (
        _authority_fault(desk, command),
        _place_fault(command),
        await _opinion_fault(reader, command, stays),
        _devices_fault(command),
    )
    return [fault for fault in found if fault is not None]


def _authority_fault(desk: Desk, command: DecideApproval) -> Finding | None:
    key = AUTHORITY.get(command.kind)
    named = desk.policy.find(key, command.valid_from) if key is not None else None
    if named is None or named.word == command.authority_kind:
        return None
    return Finding("WRONG_AUTHORITY", "AuthorityKind", command.authority_kind.value, named.word)


def _place_fault(command: DecideApproval) -> Finding | None:
    if command.kind not in PLACE_KINDS or command.hospitals or command.area:
        return None
    return Finding("PLACE_NEEDED", "Hospital", "", "Hospital | Area")


async def _opinion_fault(
    reader: Reader, command: DecideApproval, stays: Iterable[StayFile]
) -> Finding | None:
    """经医疗机构出具证明，报经办机构同意 (第三十条第四款): a referral rests on the opinion of an
    institution that has an agreement on the first day."""
    if command.kind is not ApprovalKind.REFERRAL:
        return None
    known = {file.hospital.party_id: file.hospital for file in stays}
    by = known.get(command.opinion_by)
    if by is None and command.opinion_by:
        by = await party_by_id(reader, command.opinion_by)
    if by is not None and by.agreed_on(command.valid_from):
        return None
    return Finding("OPINION_NEEDED", "OpinionBy", command.opinion_by)


def _devices_fault(command: DecideApproval) -> Finding | None:
    """经劳动能力鉴定委员会确认，可以……配置轮椅等辅助器具 (第三十二条): a confirmation is of the
    devices that it names, and nothing else names devices."""
    confirms = command.kind is ApprovalKind.DEVICE
    if confirms == bool(command.device_codes):
        return None
    got, expected = shown(" ".join(command.device_codes)), _CODES if confirms else "-"
    return Finding("VALUE_CONFLICT", "DeviceCode", got, expected)


def approval_content(
    case: CaseFacts, command: DecideApproval, line_ids: frozenset[str]
) -> dict[str, Any]:
    """What is kept. One taken back after its first day stays good for the days before."""
    told = Approval(
        approval_no=command.approval_no,
        kind=command.kind,
        hospitals=frozenset(command.hospitals),
        valid_from=command.valid_from,
        valid_to=command.valid_to,
        authority_kind=command.authority_kind,
        authority=command.authority,
        area=command.area,
        opinion_by=command.opinion_by,
        line_ids=line_ids,
        device_codes=frozenset(command.device_codes),
    )
    content: dict[str, Any] = plain(told) | {"by": command.by, "granted": command.granted}
    known = next((one for one in case.approvals if one.approval_no == command.approval_no), None)
    if command.granted or known is None or command.valid_from <= known.valid_from:
        return content
    last = min(command.valid_from - _DAY, known.valid_to)
    kept: dict[str, Any] = plain(known) | {"valid_to": last.isoformat()}
    return content | kept | {"granted": True}
