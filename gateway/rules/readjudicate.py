"""重新审核 A settled bill decided again on its frozen facts and one correction.

The rule is the one that settles; here its answer is compared with what stands, line by line.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.admission import HoldReason
from gateway.domain.bill import (
    BY_LAW,
    BillVerdict,
    Citation,
    LineVerdict,
    Payee,
    PayeeShare,
    Payout,
)
from gateway.domain.case import NEGATIVE, POSITIVE, CaseFacts, CaseState
from gateway.domain.payments import PriorPayer
from gateway.domain.readjudication import Actor
from gateway.domain.split import Payer, Split, total
from gateway.policy.model import Policy, PolicyGap
from gateway.rules import RULES_VERSION
from gateway.rules.employment import as_liable
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.listed import Sources
from gateway.rules.payout import moved, of_employer
from gateway.rules.settle import Bill, settle

_WITHDRAWN = frozenset({*NEGATIVE, CaseState.REVOKED})


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line whose shares differ: as it stands, and as it should be."""

    before: LineVerdict
    after: LineVerdict

    @property
    def difference(self) -> Split:
        """What each payer bears more; negative is less. It always sums to zero."""
        return self.after.split.minus(self.before.split)


@dataclass(frozen=True, slots=True)
class Change:
    """What a correction changes of a settlement: only the lines that differ, the difference
    of every payer, and that of the meal allowance."""

    before: BillVerdict
    after: BillVerdict
    lines: tuple[LineChange, ...]

    @property
    def split(self) -> Split:
        return self.after.split.minus(self.before.split)

    @property
    def apart(self) -> Split:
        """What of it no line knows: a third party's payment left another share of the whole."""
        return self.split.minus(total([one.difference for one in self.lines]))

    @property
    def meal_fen(self) -> int:
        return self.after.meal.amount_fen - self.before.meal.amount_fen


def readjudicated(
    bill: Bill, policy: Policy, before: BillVerdict
) -> BillVerdict | Hold | Refuse | Manual:
    """The bill as the rules decide it now.

    Where recognition or cover is gone the fund bears nothing of what `before` says it bears, for
    the reason and by the texts that the decision names; without a recognition the employer bears
    nothing in its place either. What waits for a fact or goes by hand cannot be computed and is
    answered as it is.
    """
    outcome, case = settle(bill, policy), bill.case
    if isinstance(outcome, BillVerdict) or case is None:
        return outcome
    if case.state in _WITHDRAWN:
        return _not_injury(bill, before, (_decision(case),))
    if isinstance(outcome, Refuse) and outcome.reason:
        return _employers(bill, as_liable(case, policy, bill.stay), policy, before, outcome)
    return outcome


def _employers(
    bill: Bill, case: CaseFacts, policy: Policy, before: BillVerdict, why: Refuse
) -> BillVerdict | Hold | Manual:
    """The bill where the fund's whole share is the employer's, less what a third party paid of it:
    就差额部分要求工伤保险基金或者用人单位支付。（浙江省工伤保险条例 第三十二条第二款）"""
    off_fen = before.payout.taken_off_fen
    try:
        less = of_employer(bill.stay, case, policy, _fund_fen(before) or off_fen)
    except PolicyGap as gap:
        return Hold(HoldReason.POLICY_GAP, gap.key, gap.day)
    if isinstance(less, Hold):
        return less
    by_law = any(line.by_law for line in before.lines)
    if by_law and less.paid_fen > before.payout.third_party_paid_fen:
        # How much of what was the employer's before is eligible, its shares no longer tell.
        return Manual("THIRD_PARTY")
    lines = tuple(_given(one, Payer.EMPLOYER, 0, why.reason, why.sources) for one in before.lines)
    owed = before.split._replace(fund_fen=0).given(Payer.EMPLOYER, before.split.fund_fen)
    split = moved(owed, less.taken_off_fen - off_fen, Payer.EMPLOYER)
    withdrawn = _withdrawn(before, lines, split, why.sources)
    return replace(withdrawn, payout=Payout((), *less), liable_employer=case.employer_no)


def _fund_fen(verdict: BillVerdict) -> int:
    """What the lines leave to the fund, which do not know what a third party paid."""
    return sum(line.split.fund_fen for line in verdict.lines)


def _decision(case: CaseFacts) -> Citation:
    """The decision itself; no article says what becomes of what was paid before it."""
    since = "" if case.decided_on is None else case.decided_on.isoformat()
    said = f"{case.state.value} {case.decision_no}".strip()
    return Citation("case/decision", said, since, case.authority, our_reading=True)


def _not_injury(bill: Bill, before: BillVerdict, cited: Sources) -> BillVerdict:
    """The bill of what is no injury at work: what the fund bore of it, or the employer by law in
    its place, is outside work injury (工伤保险条例 第三十条第五款), and nothing is taken off."""
    owed = _in_place_of_the_fund(bill, before)
    lines = tuple(
        _given(line, Payer.OTHER, owed[line.line_id], "NOT_INJURY", cited) for line in before.lines
    )
    payout = replace(before.payout, shares=(), taken_off_fen=0, recoverable_fen=0)
    withdrawn = _withdrawn(before, lines, total([line.split for line in lines]), cited)
    return replace(withdrawn, payout=payout)


def _in_place_of_the_fund(bill: Bill, before: BillVerdict) -> dict[str, int]:
    """What the employer bears by law of each line, in fen: what its steps left to the fund, of a
    refund less what those of its original and of the refunds before it left."""
    originals = {line.line_id: line.refund_of or line.line_id for line in bill.lines}
    by_law = {line.line_id for line in before.lines if line.by_law}
    so_far, owed = Counter[str](), dict[str, int]()
    for line in before.lines:
        original, left_fen = originals[line.line_id], line.steps.left_fen
        owed[line.line_id] = left_fen - so_far[original] if original in by_law else 0
        so_far[original] = left_fen
    return owed


def _withdrawn(
    before: BillVerdict, lines: tuple[LineVerdict, ...], split: Split, cited: Sources
) -> BillVerdict:
    """The bill with these lines, of which the fund bears nothing and pays nobody."""
    meal = replace(before.meal, days=0, amount_fen=0, citations=cited)
    return replace(
        before,
        lines=lines,
        split=split,
        meal=meal if before.meal.amount_fen else before.meal,
        meal_days=(),
        rules_version=RULES_VERSION,
        suspicions=(),
    )


def _given(
    line: LineVerdict, payer: Payer, owed_fen: int, reason: str, cited: Sources
) -> LineVerdict:
    """The line with the fund's share, and what the employer owes in its place, given to `payer`;
    other shares and their reasons stay."""
    fund_fen = line.split.fund_fen
    if not fund_fen and not owed_fen:
        return line
    split = line.split._replace(fund_fen=0).given(Payer.EMPLOYER, -owed_fen)
    reasons = (*(one for one in line.reasons if one not in BY_LAW | {reason}), reason)
    citations = (*line.citations, *cited)
    given = split.given(payer, fund_fen + owed_fen)
    return line._replace(split=given, reasons=reasons, citations=citations)


def paid_since(bill: Bill, settled_on: date) -> Manual | None:
    """By hand, where a third party paid after the day of the settlement: what the fund had
    advanced by then it recovers from the third party or the worker, never from a hospital in good
    faith (社会保险基金先行支付暂行办法 第十一条、第十二条). Of a bill without a recognition nothing
    is taken off."""
    if bill.case is None or bill.case.state in _WITHDRAWN:
        return None
    third = (one for one in bill.stay.payments if one.payer is PriorPayer.THIRD_PARTY)
    return Manual("THIRD_PARTY") if any(one.paid_on > settled_on for one in third) else None


def who_acts(outcome: Hold | Refuse | Manual) -> Actor:
    """Who has to act where no bill can be told: what the policy lacks the operator enters, all
    else is the agency's to find out or to settle by hand."""
    gap = isinstance(outcome, Hold) and outcome.reason is HoldReason.POLICY_GAP
    return Actor.OPERATOR if gap else Actor.AGENCY


def change_of(before: BillVerdict, after: BillVerdict) -> Change | None:
    """What differs in money or in who gets, owes or gives it back; None when nothing does,
    whatever the words."""
    stood = {line.line_id: line for line in before.lines}
    lines = tuple(
        LineChange(stood[line.line_id], line)
        for line in after.lines
        if line.split != stood[line.line_id].split
    )
    found = Change(before, after, lines)
    same = _concerned(before) == _concerned(after)
    return None if not lines and found.meal_fen == 0 and same else found


def _concerned(verdict: BillVerdict) -> tuple[object, ...]:
    """Whom the fund pays, what a third party gives back to it, and which employer answers for a
    share; of a bill on which no employer does, none."""
    payout, owes = verdict.payout, verdict.split.employer_fen != 0
    return payout.shares, payout.recoverable_fen, verdict.liable_employer if owes else None


def difference_verdict(change: Change) -> BillVerdict:
    """The change as a bill of its own: the lines that differ with signed shares that sum to
    zero, and the signed meal allowance; days, reasons and sources are those of what is right."""
    lines = tuple(one.after._replace(amount_fen=0, split=one.difference) for one in change.lines)
    after = change.after
    meal = replace(after.meal, amount_fen=change.meal_fen)
    payout = _difference(change.before.payout, after.payout)
    return replace(after, lines=lines, split=change.split, meal=meal, payout=payout, suspicions=())


def _difference(before: Payout, after: Payout) -> Payout:
    """What each payee gets more of the fund; negative is less."""
    had = {one.payee: one for one in before.shares}
    has = {one.payee: one for one in after.shares}
    shares = tuple(
        PayeeShare(payee, medical_fen, meal_fen)
        for payee in Payee
        for medical_fen, meal_fen in [_more(had.get(payee), has.get(payee))]
        if medical_fen or meal_fen
    )
    return Payout(
        shares,
        after.third_party_paid_fen - before.third_party_paid_fen,
        after.taken_off_fen - before.taken_off_fen,
        after.recoverable_fen - before.recoverable_fen,
        after.citations,
    )


def _more(had: PayeeShare | None, has: PayeeShare | None) -> tuple[int, int]:
    """The medical fees and the meals that a payee gets more, in fen."""
    medical = (has.medical_fen if has else 0) - (had.medical_fen if had else 0)
    return medical, (has.meal_fen if has else 0) - (had.meal_fen if had else 0)


def takes_from_hospital(change: Change, paid_before_fen: int, paid_after_fen: int) -> bool:
    """Whether the hospital gets less from the fund, or bears more itself: a cut, which cites a
    clause of its agreement (工伤保险条例 第四十八条; 社会保险经办条例 第五十三条)."""
    return paid_after_fen < paid_before_fen or change.split.hospital_fen > 0


def needs_ground(case: CaseFacts | None, *, cut: bool) -> bool:
    """Whether the cut follows only from a recognition that is gone: taking back what a hospital
    was paid in good faith has no ground in that alone (工伤保险条例 第三十一条)."""
    return cut and case is not None and case.state not in POSITIVE
