"""重新审核 A settled bill decided again on its frozen facts and one correction.

The rule is the one that settles; here its answer is compared with what stands, line by line.
"""

from dataclasses import dataclass, replace

from gateway.domain.admission import HoldReason
from gateway.domain.bill import (
    BillVerdict,
    Citation,
    LineVerdict,
    Payee,
    PayeeShare,
    Payout,
)
from gateway.domain.case import NEGATIVE, POSITIVE, CaseFacts, CaseState
from gateway.domain.readjudication import Actor
from gateway.domain.split import Payer, Split, total
from gateway.policy.model import Policy, PolicyGap
from gateway.rules import RULES_VERSION
from gateway.rules.employment import as_liable
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.listed import Sources
from gateway.rules.payout import BY_LAW, moved, of_employer
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
    the reason and by the texts that the decision names;
    what waits for a fact or goes by hand cannot be computed and is answered as it is.
    """
    outcome, case = settle(bill, policy), bill.case
    if isinstance(outcome, BillVerdict) or case is None:
        return outcome
    if case.state in _WITHDRAWN:
        return _withdrawn(before, Payer.OTHER, "NOT_INJURY", (_decision(case),))
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
    if less.paid_fen > before.payout.third_party_paid_fen and _by_law(before):
        # How much of what was the employer's before is eligible, its shares no longer tell.
        return Manual("THIRD_PARTY")
    owed = _withdrawn(before, Payer.EMPLOYER, why.reason, why.sources)
    split = moved(owed.split, less.taken_off_fen - off_fen, Payer.EMPLOYER)
    payout = Payout((), *less)
    return replace(owed, split=split, payout=payout, liable_employer=case.employer_no)


def _fund_fen(verdict: BillVerdict) -> int:
    """What the lines leave to the fund, which do not know what a third party paid."""
    return sum(line.split.fund_fen for line in verdict.lines)


def _by_law(before: BillVerdict) -> bool:
    return any(not BY_LAW.isdisjoint(line.reasons) for line in before.lines)


def _decision(case: CaseFacts) -> Citation:
    """The decision itself; no article says what becomes of what was paid before it."""
    since = "" if case.decided_on is None else case.decided_on.isoformat()
    said = f"{case.state.value} {case.decision_no}".strip()
    return Citation("case/decision", said, since, case.authority, our_reading=True)


def _withdrawn(before: BillVerdict, payer: Payer, reason: str, cited: Sources) -> BillVerdict:
    """Only the fund's share moves, of each line and of the whole; other shares and their reasons
    stay, and with them what a third party paid of a share that had moved before."""
    lines = tuple(_given(line, payer, reason, cited) for line in before.lines)
    off_fen = 0 if _fund_fen(before) else before.payout.taken_off_fen
    split = before.split
    meal = replace(before.meal, days=0, amount_fen=0, citations=cited)
    return replace(
        before,
        lines=lines,
        split=split._replace(fund_fen=0).given(payer, split.fund_fen),
        meal=meal if before.meal.amount_fen else before.meal,
        meal_days=(),
        payout=replace(before.payout, shares=(), taken_off_fen=off_fen, recoverable_fen=0),
        rules_version=RULES_VERSION,
        suspicions=(),
    )


def _given(line: LineVerdict, payer: Payer, reason: str, cited: Sources) -> LineVerdict:
    fund = line.split.fund_fen
    if fund == 0:
        return line
    split = line.split._replace(fund_fen=0).given(payer, fund)
    reasons = (*(one for one in line.reasons if one != reason), reason)
    return line._replace(split=split, reasons=reasons, citations=(*line.citations, *cited))


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
