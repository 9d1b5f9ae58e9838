"""The whole computation of a bill on one screen: facts, policy and days in, verdict out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.domain.admission import HoldReason, PaidAtDischargeBy, Stay
from gateway.domain.bill import BillLine, BillVerdict, Citation, LineVerdict, SuppliedDevice
from gateway.domain.case import CaseFacts
from gateway.domain.catalogue import Edition
from gateway.domain.party import Party
from gateway.domain.split import NOTHING, total
from gateway.policy.model import Policy, PolicyGap
from gateway.rules import RULES_VERSION
from gateway.rules.approvals import Asked
from gateway.rules.audit import holding, suspicions
from gateway.rules.audit.seen import look
from gateway.rules.dates import dates_of
from gateway.rules.employment import as_liable, grounds
from gateway.rules.entitlement import Confirm, Hold, Manual, Refuse, may_settle
from gateway.rules.line import Bearers, Decided, NoPayerStated, Terms, decide
from gateway.rules.meal_allowance import meal_allowance
from gateway.rules.payout import paid_out
from gateway.rules.place import emergency_days
from gateway.rules.refunds import Netted, netted
from gateway.rules.resolve import (
    Alike,
    Context,
    Decision,
    EditionsByDay,
    NeedsApproval,
    NeedsReview,
    late_window,
    rescued_lines,
    terms,
)

_PAYER_KEY: Mapping[str, str] = {
    "no_consent": "line/no_consent_payer",
    "not_notified": "line/not_notified_payer",
    "ratio": "line/ratio_payer",
    "refused_discharge": "line/refused_discharge_payer",
}
_EXCESS = frozenset({"OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "LIFE_NOT_ENDED", "OVER_CEILING"})


@dataclass(frozen=True, slots=True)
class Bill:
    """Everything a settlement is computed from; `others` are the person's other stays, `devices`
    the assistive devices that the fund paid for earlier, and `paid_by` paid the would-be fund
    share at the counter while the bill was held."""

    stay: Stay
    case: CaseFacts | None
    hospital: Party
    lines: tuple[BillLine, ...]
    editions: tuple[Edition, ...]
    others: tuple[Stay, ...] = ()
    devices: tuple[SuppliedDevice, ...] = ()
    paid_by: PaidAtDischargeBy = PaidAtDischargeBy.NOBODY


def device_codes(bill: Bill) -> frozenset[str]:
    """The codes on the bill that are assistive devices by the editions at hand."""
    return frozenset(
        line.code
        for line in bill.lines
        for edition in bill.editions
        if (row := edition.rows.get(line.code)) is not None and row.life_months is not None
    )


@dataclass(frozen=True, slots=True)
class NettedTerms:
    """The resolved facts of a line and its refunds at net quantity: one calculation case line."""

    line_id: str
    name: str
    terms: Terms
    bearers: Bearers


def settle(bill: Bill, policy: Policy) -> BillVerdict | Hold | Refuse | Manual:
    """Entitlement first, then every line, the meal allowance, and whom the fund pays."""
    entitled = may_settle(bill.stay, bill.case, bill.hospital, policy)
    if not isinstance(entitled, Confirm):
        return entitled
    try:
        return _computed(bill, policy)
    except PolicyGap as gap:
        return Hold(HoldReason.POLICY_GAP, gap.key, gap.day)
    except NeedsApproval as lacking:
        return Hold(HoldReason.APPROVAL, note=str(lacking))
    except NeedsReview as line:
        return Hold(HoldReason.LINES_IN_REVIEW, note=str(line))


def _computed(bill: Bill, policy: Policy) -> BillVerdict | Hold | Manual:
    if bill.stay.open_cuts:
        # 有权进行陈述、申辩: no line is the hospital's before the final decision (经办 第四十三条).
        return Hold(HoldReason.AUDIT, note=" ".join(sorted(bill.stay.open_cuts)))
    groups = netted(bill.lines)
    context = context_of(bill, policy, groups)
    verdict = _verdict(bill, context)
    seen = look(bill.stay, bill.hospital, context, bill.others)
    found = suspicions(seen)
    held = holding(seen, found)
    if held:
        codes = dict.fromkeys(one.code for one in held)
        return Hold(HoldReason.AUDIT, note=" ".join(codes), suspicions=held)
    return paid_out(replace(verdict, suspicions=found), context, bill.paid_by)


def _verdict(bill: Bill, context: Context) -> BillVerdict:
    lines = tuple(_line_verdicts(context))
    meal, days = meal_allowance(context, bill.hospital, bill.lines, bill.others)
    return BillVerdict(
        lines=lines,
        split=total([line.split for line in lines]),
        meal=meal,
        meal_days=days,
        rules_version=RULES_VERSION,
        policy_digest=context.policy.digest,
        edition_digests=tuple(edition.digest for edition in bill.editions),
        grounds=grounds(bill.case or context.case, context.policy, bill.stay),
        liable_employer=context.case.employer_no,
    )


def context_of(bill: Bill, policy: Policy, groups: tuple[Netted, ...]) -> Context:
    """What all lines of the bill share. Raises PolicyGap."""
    if bill.case is None:
        raise ValueError("a bill without a case is never computed")
    case = as_liable(bill.case, policy, bill.stay)
    dates = dates_of(bill.stay, case)
    asked = Asked(bill.stay, case, bill.hospital, policy)
    context = Context(
        policy=policy,
        stay=bill.stay,
        case=case,
        level=bill.hospital.level,
        dates=dates,
        editions=EditionsByDay(bill.editions),
        groups=groups,
        rescued=rescued_lines(case, bill.stay, (group.original for group in groups)),
        late_until=late_window(policy, case, dates),
        asked=asked,
        emergency=emergency_days(asked),
        devices=bill.devices,
    )
    context.sort_out()
    return context


def _line_verdicts(context: Context) -> Iterator[LineVerdict]:
    """Every line in order, an original before its refunds; lines that are charged alike in one
    spell share their decision. Raises PolicyGap and NeedsReview."""
    apart = context.apart
    for group, alike in zip(context.groups, context.kinds, strict=True):
        line, _, refunds = group
        if refunds:
            yield from _refunded(context, group)
            continue
        decision = alike.decisions.get((line.quantity, line.amount_fen))
        if decision is None or line.line_id in apart:
            decision = _decision(context, line, alike)
        yield LineVerdict(line.line_id, line.amount_fen, *decision)


def _decision(context: Context, line: BillLine, alike: Alike) -> Decision:
    """What is decided about lines charged alike at this quantity, or about this one by itself."""
    if alike.by_line or line.line_id in context.apart:
        return _decided(context, line)
    if alike.resolved is None:
        resolved, sources = terms(context, line)
        # None of these lines goes beyond a limit of quantities: its own allowance is nothing.
        _, _, _, *own = resolved._replace(quantity_limit=None)
        alike.resolved = own, sources
    count, amount, (rest, sources) = line.quantity, line.amount_fen, alike.resolved
    decision = _borne(context, line, Terms(line.price, count, amount, *rest), sources)
    alike.decisions[count, amount] = decision
    return decision


def _refunded(context: Context, group: Netted) -> Iterator[LineVerdict]:
    """The original as if not refunded; each refund the difference to the pair so far."""
    before = NOTHING
    for line, step in zip((group.original, *group.refunds), group.steps, strict=True):
        decision = _decided(context, step)
        own = decision._replace(split=decision.split.minus(before))
        yield LineVerdict(line.line_id, line.amount_fen, *own)
        before = decision.split


def _decided(context: Context, line: BillLine) -> Decision:
    return _borne(context, line, *terms(context, line))


def _borne(
    context: Context, line: BillLine, resolved: Terms, sources: tuple[Citation, ...]
) -> Decision:
    try:
        decided = decide(resolved, context.bearers(line.service_day))
    except NoPayerStated as silent:
        raise context.gaps[_PAYER_KEY[silent.bearer], line.service_day] from silent
    cited = sources + _payer_sources(context, decided, line)
    return Decision(decided.split, decided.reasons, cited, decided.steps)


def _payer_sources(context: Context, decided: Decided, line: BillLine) -> tuple[Citation, ...]:
    """The texts that named the payer of what the fund does not bear."""
    if not decided.reasons:
        return ()
    used = []
    if line.consent is None and not _EXCESS.isdisjoint(decided.reasons):
        used.append("no_consent")
    if "EMPLOYER_NOT_NOTIFIED" in decided.reasons:
        used.append("not_notified")
    if "REFUSED_DISCHARGE" in decided.reasons:
        used.append("refused_discharge")
    if "REGIONAL_RATIO" in decided.reasons:
        used.append("ratio")
    return tuple(context.cited(_PAYER_KEY[bearer], line.service_day) for bearer in used)


def netted_terms(bill: Bill, policy: Policy) -> tuple[NettedTerms, ...]:
    """Every line with its refunds at net quantity, as the line rule saw it: the bill as a
    calculation case. Raises PolicyGap and NeedsReview as `settle` does."""
    groups = netted(bill.lines)
    context = context_of(bill, policy, groups)
    return tuple(
        NettedTerms(
            group.original.line_id,
            group.original.name,
            terms(context, group.net)[0],
            context.bearers(group.original.service_day),
        )
        for group in groups
    )


def line_terms(bill: Bill, policy: Policy) -> tuple[NettedTerms, ...]:
    """The terms of every line in the order of its verdict; those of a refund are the pair's at
    the net quantity so far. Raises PolicyGap and NeedsReview as `settle` does."""
    groups = netted(bill.lines)
    context = context_of(bill, policy, groups)
    return tuple(
        NettedTerms(
            line.line_id, line.name, terms(context, step)[0], context.bearers(line.service_day)
        )
        for group in groups
        for line, step in zip((group.original, *group.refunds), group.steps, strict=True)
    )
