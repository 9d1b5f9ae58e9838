"""经办机构 The agency: its core system reports, decides and checks by signed messages, and
keeps what the gateway pushes to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from adapters.sandbox.agency import Core
from adapters.sandbox.client import Client
from adapters.sandbox.expect import expect
from gateway.domain.admission import AdmissionRefusal
from gateway.domain.case import ApprovalKind, AuthorityKind, CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CheckAdmission,
    Command,
    DecideApproval,
    DecideCase,
    DecideCut,
    DecideLines,
    LineDecision,
    QueryCuts,
    ReportCase,
)
from gateway.domain.cut import CutOutcome
from gateway.domain.results import AdmissionReceived, Settlement

_AUTHORITY: Final = "示例市人力资源和社会保障局（虚构）"
_DECIDES: Final = {
    AuthorityKind.AGENCY: "示例市工伤保险经办机构（虚构）",
    AuthorityKind.ASSESSMENT_COMMITTEE: "示例市劳动能力鉴定委员会（虚构）",
}
_OF_COMMITTEE: Final = frozenset({ApprovalKind.REHABILITATION, ApprovalKind.RELAPSE})
_CLERK: Final = "经办岗01"
_SECOND_CLERK: Final = "复核岗02"
_CLAUSE: Final = "示例服务协议第二十一条"


@dataclass(slots=True, kw_only=True)
class Bureau:
    """The agency's side of the story."""

    client: Client
    core: Core

    async def report(self, report: ReportCase) -> None:
        """Pass an employer's report on."""
        await self._change("case.report", report)

    async def decide(
        self, case_no: str, state: CaseState, on: date, applied_on: date, accepted_on: date
    ) -> None:
        """The department's decision, with the days of application and acceptance."""
        command = DecideCase(
            case_no=case_no,
            state=state,
            decided_on=on,
            authority=_AUTHORITY,
            reason="事实清楚（虚构）",
            decision_no=f"示例认定{on.year}-{case_no}",
            applied_on=applied_on,
            accepted_on=accepted_on,
        )
        await self._change("case.decide", command)

    async def refuse(self, admission_id: str, refusal: AdmissionRefusal, reason: str) -> None:
        """Check a registration and refuse it."""
        command = CheckAdmission(
            admission_id=admission_id, by=_CLERK, reason=reason, refusal=refusal
        )
        await self._change("admission.check", command)

    async def approve(
        self,
        approval_no: str,
        case_no: str,
        kind: ApprovalKind,
        hospital: str,
        days: tuple[date, date],
        line_ids: tuple[str, ...] = (),
    ) -> None:
        """Grant an approval for a hospital and the days, first and last."""
        committee = kind in _OF_COMMITTEE
        decider = AuthorityKind.ASSESSMENT_COMMITTEE if committee else AuthorityKind.AGENCY
        command = DecideApproval(
            approval_no=approval_no,
            case_no=case_no,
            kind=kind,
            granted=True,
            authority_kind=decider,
            authority=_DECIDES[decider],
            by=_CLERK,
            valid_from=days[0],
            valid_to=days[1],
            hospitals=(hospital,),
            line_ids=line_ids,
        )
        await self._change("approval.decide", command)

    async def find_violation(self, admission_id: str, line_id: str, violation: str) -> str:
        """Raise a cut for a violation on one line; its number."""
        command = DecideLines(
            admission_id=admission_id,
            by=_CLERK,
            reason="核查明细",
            lines=(LineDecision(line_id=line_id, violation=violation),),
            clause=_CLAUSE,
            evidence="同一分钟两次计费",
        )
        await self._change("lines.decide", command)
        asked = await self.client.send("cut.query", QueryCuts(admission_id=admission_id))
        return str(asked.result.cuts[-1].cut_no)

    async def uphold(self, cut_no: str) -> None:
        """The final decision by a second person, after the hospital's answer."""
        command = DecideCut(
            cut_no=cut_no,
            outcome=CutOutcome.UPHELD,
            by=_SECOND_CLERK,
            reason="医院无异议",
            hearing_held=False,
        )
        await self._change("cut.decide", command)

    async def _change(self, name: str, command: Command) -> None:
        answer = await self.client.send(name, command)
        expect(
            answer.outcome is Outcome.APPLIED,
            f"经办机构的 {name} 应办理，实为 {answer.code}",
            f"the agency's {name} should be applied, not {answer.code}",
        )

    @property
    def registrations(self) -> int:
        """Registrations that the gateway told the agency of."""
        return sum(isinstance(one, AdmissionReceived) for one in self._told.values())

    @property
    def live(self) -> dict[str, Settlement]:
        """The settlements in force, as far as the agency was told."""
        told = [
            one for one in self._told.values() if isinstance(one, Settlement) and one.settlement_id
        ]
        taken_back = {one.reverses for one in told}
        return {
            one.settlement_id: one
            for one in told
            if not one.reverses and one.settlement_id not in taken_back
        }

    @property
    def _told(self) -> Mapping[str, Any]:
        return dict(self.core.received)
