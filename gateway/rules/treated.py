"""What approved the treatment that the fund pays 治疗审批: rehabilitation, relapse and devices.

经劳动能力鉴定委员会确认，可以……配置轮椅等辅助器具。（工伤保险条例 第三十二条）
工伤职工工伤复发，确认需要治疗的，享受……工伤待遇。（工伤保险条例 第三十八条）
Who confirms rehabilitation the text of the region says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import islice
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.case import Approval, ApprovalKind, TreatmentKind
from gateway.rules.approvals import Asked, cited, counts

APPROVAL_FOR: Final[Mapping[TreatmentKind, ApprovalKind]] = {
    TreatmentKind.REHABILITATION: ApprovalKind.REHABILITATION,
    TreatmentKind.RELAPSE: ApprovalKind.RELAPSE,
    TreatmentKind.DEVICE: ApprovalKind.DEVICE,
}
"""The approval that every day of such a stay needs."""


def treated_by(
    asked: Asked, days: Iterable[date], devices: Iterable[tuple[date, str]]
) -> tuple[Citation, ...]:
    """The approvals that the fund pays these days and these devices on: of each device what
    confirmed it, of each other day what approved the treatment. Raises PolicyGap."""
    found = dict.fromkeys(_confirming(asked, devices))
    kind = APPROVAL_FOR.get(asked.stay.treatment)
    if kind is not None:
        for day in sorted(set(days)):
            # What is named already is asked first, so that none is named without need.
            found |= dict.fromkeys(_first(asked, kind, day, (*found, *asked.case.approvals)))
    return tuple(cited(asked, one) for one in found)


def _confirming(asked: Asked, devices: Iterable[tuple[date, str]]) -> Iterable[Approval]:
    for day, code in devices:
        of_device = replace(asked, device=code)
        yield from _first(of_device, ApprovalKind.DEVICE, day, asked.case.approvals)


def _first(
    asked: Asked, kind: ApprovalKind, day: date, approvals: Iterable[Approval]
) -> list[Approval]:
    """The first of the approvals that counts on the day; none on a day outside the stay, which
    needs none."""
    fitting = (one for one in approvals if one.kind is kind and counts(asked, one, day))
    return [*islice(fitting, 1)]
