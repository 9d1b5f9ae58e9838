"""扣减 A cut: what the agency means to take from a hospital for a violation, until it is final.

社会保险服务机构违反服务协议的，经办机构可以按照服务协议约定暂停或者不予拨付费用、追回违规费用；
社会保险服务机构及其相关责任人员有权进行陈述、申辩。（社会保险经办条例 第四十三条）

A cut is provisional: it is noticed with the days to answer, the hospital states its case, and a
second person decides. Only an upheld cut moves money.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final


class CutState(StrEnum):
    PROPOSED = "PROPOSED"
    NOTICED = "NOTICED"
    ANSWERED = "ANSWERED"
    UNANSWERED = "UNANSWERED"
    UPHELD = "UPHELD"
    WITHDRAWN = "WITHDRAWN"


_S = CutState
TRANSITIONS: Final[dict[CutState, frozenset[CutState]]] = {
    # Without a text that gives the days to answer no notice can say until when: it stays proposed.
    _S.PROPOSED: frozenset({_S.NOTICED, _S.WITHDRAWN}),
    _S.NOTICED: frozenset({_S.ANSWERED, _S.UNANSWERED, _S.WITHDRAWN}),
    # The hospital may add to its statement, and be heard late, until the decision is taken.
    _S.ANSWERED: frozenset({_S.ANSWERED, _S.UPHELD, _S.WITHDRAWN}),
    _S.UNANSWERED: frozenset({_S.ANSWERED, _S.UPHELD, _S.WITHDRAWN}),
    # After administrative review or a suit, or by the agency's own correction.
    _S.UPHELD: frozenset({_S.WITHDRAWN}),
    _S.WITHDRAWN: frozenset(),
}
PENDING: Final = frozenset({_S.PROPOSED, _S.NOTICED, _S.ANSWERED, _S.UNANSWERED})
"""States in which the cut still waits for its final decision."""


class CutOutcome(StrEnum):
    """The final decision 复核决定: on all lines, on some of them, or on none."""

    UPHELD = "UPHELD"
    REDUCED = "REDUCED"
    WITHDRAWN = "WITHDRAWN"


MOST_STATEMENTS: Final = 20
"""Statements on one cut; what is more is said in papers that the last one names."""
MOST_CUTS: Final = 500
"""Cuts of a stay that one reply tells, the newest."""

LAW: Final = (
    "《社会保险经办条例》第四十三条",
    "《工伤保险条例》第四十八条",
    "《工伤保险条例》第五十九条第一款",
)
"""What every cut rests on beside the clause of the service agreement that it names."""

REMEDIES: Final = (
    "签订服务协议的医疗机构、辅助器具配置机构认为经办机构未履行有关协议或者规定的，可以依法申请行政复议，"
    "也可以依法向人民法院提起行政诉讼（《工伤保险条例》第五十五条第四项；"
    "《中华人民共和国社会保险法》第八十三条第二款；《社会保险经办条例》第五十二条）。",
    "A hospital or device institution under a service agreement that holds that the agency broke "
    "the agreement or the rules may apply for administrative review or sue in the people's court "
    "(Regulation on Work-Injury Insurance, article 55(4); Social Insurance Law, article 83(2); "
    "Regulation on Handling Social Insurance, article 52).",
)


@dataclass(frozen=True, slots=True)
class CutLine:
    """A line cut, with its refunds: what was charged, and what the hospital bears by the final
    decision, in fen."""

    line_id: str
    code: str
    name: str
    amount_fen: int
    upheld_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """陈述申辩 What the hospital says: it accepts, or objects with a reason and papers by name."""

    accepted: bool
    by: str
    reason: str
    documents: tuple[str, ...]
    at: datetime
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CutDecision:
    """A final decision, by another person than who raised the cut. `give_back_fen` is what the
    hospital owes to the worker or employer who paid their shares; `delta_id` the delta
    settlement 补差结算 that the decision posted to a settled bill, if it changed any amount."""

    outcome: CutOutcome
    by: str
    reason: str
    hearing_held: bool
    hearing_on: date | None
    at: datetime
    give_back_fen: int = 0
    delta_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut. `rule` is the audit rule that led to it, if one did; `clause` the clause of the
    service agreement; `settlement_id` is empty while the bill is not settled. `answer_by` is the
    last day to answer, None until the notice is served; `heard_on` the day of the first statement,
    or the last day to answer once that has passed. `posted_fen` is what the fund pays less for a
    settled bill by the cut, medical fees and meals, in fen: the difference of the whole bill, which
    is seldom the sum of its lines."""

    cut_no: str
    version: int
    admission_id: str
    visit_no: str
    hospital: str
    settlement_id: str
    state: CutState
    violation: str
    rule: str
    clause: str
    evidence: str
    raised_by: str
    reason: str
    raised_at: datetime
    lines: tuple[CutLine, ...]
    noticed_on: date | None = None
    answer_by: date | None = None
    heard_on: date | None = None
    statements: tuple[Statement, ...] = ()
    decisions: tuple[CutDecision, ...] = ()
    posted_fen: int = 0

    @property
    def decision(self) -> CutDecision | None:
        """The decision in force."""
        return self.decisions[-1] if self.decisions else None

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)

    @property
    def upheld_fen(self) -> int:
        return sum(line.upheld_fen for line in self.lines)

    @property
    def upheld_ids(self) -> frozenset[str]:
        """The lines that are the hospital's by the decision in force."""
        if self.decision is None or self.state is not CutState.UPHELD:
            return frozenset()
        whole = self.decision.outcome is CutOutcome.UPHELD
        return frozenset(line.line_id for line in self.lines if whole or line.upheld_fen)

    def overdue(self, today: date) -> bool:
        """Whether the last day to answer has passed."""
        return self.answer_by is not None and self.answer_by < today
