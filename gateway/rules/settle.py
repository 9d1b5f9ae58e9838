"""The whole computation of a bill on one screen: facts, policy and days in, verdict out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.admission import HoldReason, PaidAtDischargeBy, Stay
from gateway.domain.bill import (
    BillLine,
    BillVerdict,
    Citation,
    LineVerdict,
    SuppliedDevice,
    by_place,
)
from gateway.domain.case import CaseFacts
from gateway.domain.catalogue import Edition
from gateway.domain.party import Party
from gateway.domain.split import NOTHING, total
from gateway.policy.model import Policy, PolicyGap
from gateway.rules import RULES_VERSION
from gateway.rules.approvals import Asked
from gateway.rules.arrears import employers, sources_of
from gateway.rules.audit import holding, suspicions
from gateway.rules.audit.seen import look
from gateway.rules.context import Context
from gateway.rules.dates import dates_of
from gateway.rules.employment import as_liable, grounds
from gateway.rules.entitlement import Confirm, Hold, Manual, Refuse, let_through, may_settle
from gateway.rules.late import in_time, late_window
from gateway.rules.line import Bearers, NoPayerStated, Terms
from gateway.rules.listed import EditionsByDay
from gateway.rules.meal_allowance import CountedRates, counted_rates, meal_allowance
from gateway.rules.payout import paid_out
from gateway.rules.place import emergency_days, fits_devices_alone, opened_by
from gateway.rules.plain import (
    NO_CONSENT,
    OVER_QUANTITY,
    RATIO,
    REFUSED,
    RESCUE,
    Decision,
    borne,
    consent_day,
    rests_on_consent,
    signed_late,
)
from gateway.rules.refunds import Netted, alone, netted
from gateway.rules.resolve import NeedsApproval, NeedsReview, rescued_lines, shut_out, terms
from gateway.rules.treated import treated_by

_line_id, _amount_fen, _code = map(by_place, ("line_id", "amount_fen", "code"))
_KEY_OF_BEARER: Mapping[str, str] = {
    "no_consent": NO_CONSENT,
    "ratio": RATIO,
    "refused_discharge": REFUSED,
    "emergency_item": RESCUE,
    "over_quantity": OVER_QUANTITY,
}


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
        code
        for code in frozenset(map(_code, bill.lines))
        for edition in bill.editions
        if (row := edition.rows.get(code)) is not None and row.life_months is not None
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
    context = context_of(bill, policy, netted(bill.lines))
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
        grounds=_grounds(bill, context, _paid(bill, lines), days),
        liable_employer=context.case.employer_no,
    )


def _paid(bill: Bill, lines: tuple[LineVerdict, ...]) -> list[BillLine]:
    """The lines of which the fund pays something."""
    paid = {line.line_id for line in lines if line.split.fund_fen > 0}
    return [line for line in bill.lines if line.line_id in paid]


def _grounds(
    bill: Bill, context: Context, paid: list[BillLine], meal_days: tuple[date, ...]
) -> tuple[Citation, ...]:
    """The sources that concern the bill as a whole. Raises PolicyGap."""
    told = grounds(context.told, context.policy, bill.stay)
    through = let_through(bill.stay, context.case, bill.hospital, context.policy)
    kept = in_time(context.policy, context.case, context.dates)
    days = {*meal_days, *(line.service_day for line in paid)}
    treated = treated_by(context.asked, days, _devices(context, paid))
    opened = opened_by(context.asked, days)
    return (*told, *through, *context.owed_by, *kept, *treated, *opened)


def _devices(context: Context, paid: list[BillLine]) -> Iterator[tuple[date, str]]:
    """The devices among what the fund pays that were not given back, each with its day."""
    fitted = {
        line.line_id
        for listed, lines in context.used.items()
        if listed is not None and listed.row.life_months is not None
        for line in lines
    }
    yield from ((line.service_day, line.code) for line in paid if line.line_id in fitted)


def context_of(bill: Bill, policy: Policy, lines: Netted) -> Context:
    """What all lines of the bill share. Raises PolicyGap."""
    if bill.case is None:
        raise ValueError("a bill without a case is never computed")
    case = as_liable(bill.case, policy, bill.stay)
    dates = dates_of(bill.stay, case)
    asked, owed = Asked(bill.stay, case, bill.hospital, policy), employers(bill.stay, case, policy)
    context = Context(
        policy=policy,
        stay=bill.stay,
        told=bill.case,
        case=case,
        level=bill.hospital.level,
        dates=dates,
        editions=EditionsByDay(bill.editions),
        netted=lines,
        rescued=rescued_lines(asked, lines.originals),
        late_until=late_window(policy, case, dates),
        asked=asked,
        emergency=emergency_days(asked),
        devices_alone=fits_devices_alone(bill.stay, bill.hospital),
        devices=bill.devices,
        owed=owed,
        owed_by=sources_of(owed, bill.stay, case, policy),
    )
    context.sort_out(shut_out)
    return context


def _line_verdicts(context: Context) -> list[LineVerdict]:
    """Every line in order, an original before its refunds: by what is known of its charge, or by
    itself. Raises PolicyGap and NeedsReview."""
    apart, told = context.apart, list[LineVerdict]()
    lines = context.netted.originals
    named = map(_line_id, lines), map(_amount_fen, lines)
    for line, line_id, amount, (decision, _, _) in zip(lines, *named, context.known, strict=True):
        if decision is None or line_id in apart:
            told += _by_steps(context, line)
        else:
            told.append(LineVerdict(line_id, amount, *decision))
    _signed_in_time(context.netted.originals, told)
    return told


def _signed_in_time(lines: Sequence[BillLine], told: Iterable[LineVerdict]) -> None:
    """A consent signed after the day of service moves nothing before a person has looked: 同意 is
    asked for, no text says until when. Raises NeedsReview."""
    if not any(map(consent_day, lines)):
        return
    late = {
        one.line_id: one
        for one in lines
        if (day := one.consent_on) is not None and one.limit_met is None and signed_late(one, day)
    }
    resting = (one.line_id for one in told if late and rests_on_consent(one.reasons))
    for line_id in late.keys() & set(resting):
        raise NeedsReview(late[line_id], "LimitMet", f"ConsentOn {late[line_id].consent_on}")


def _by_steps(context: Context, line: BillLine) -> Iterator[LineVerdict]:
    """The line as if not refunded; each refund the difference to the pair so far."""
    pair, before = context.netted.refunded.get(line.line_id) or alone(line), NOTHING
    for one, step in zip(pair.lines, pair.steps, strict=True):
        decision = _decided(context, step)
        own = decision._replace(split=decision.split.minus(before))
        yield LineVerdict(one.line_id, one.amount_fen, *own)
        before = decision.split


def _decided(context: Context, line: BillLine) -> Decision:
    return context.decided(line) or _by_itself(context, line)


def _by_itself(context: Context, line: BillLine) -> Decision:
    ground = context.ground(line.service_day)
    try:
        decision = borne(ground, *terms(context, line))
    except NoPayerStated as silent:
        raise context.gap(_KEY_OF_BEARER[silent.bearer], line.service_day) from silent
    if "EMERGENCY_APPROVED" not in decision.reasons:
        return decision
    approval = context.rescued[line.line_id]
    return decision._replace(citations=(*decision.citations, approval))


def netted_terms(bill: Bill, policy: Policy) -> tuple[NettedTerms, ...]:
    """Every line with its refunds at net quantity, as the line rule saw it: the bill as a
    calculation case. Raises PolicyGap and NeedsReview as `settle` does."""
    context = context_of(bill, policy, netted(bill.lines))
    return tuple(_told(context, line, line) for line in context.netted.nets)


def line_terms(bill: Bill, policy: Policy) -> tuple[NettedTerms, ...]:
    """The terms of every line in the order of its verdict; those of a refund are the pair's at
    the net quantity so far. Raises PolicyGap and NeedsReview as `settle` does."""
    context = context_of(bill, policy, netted(bill.lines))
    return tuple(
        _told(context, line, step)
        for pair in context.netted.pairs
        for line, step in zip(pair.lines, pair.steps, strict=True)
    )


def _told(context: Context, line: BillLine, step: BillLine) -> NettedTerms:
    """The terms of the step under the name of the line."""
    bearers = context.ground(line.service_day).bearers
    return NettedTerms(line.line_id, line.name, terms(context, step)[0], bearers)


def meal_rates(bill: Bill, policy: Policy, days: Iterable[date]) -> CountedRates:
    """At which rates these days of the meal allowance count. Raises PolicyGap."""
    return counted_rates(context_of(bill, policy, netted(bill.lines)), bill.hospital, days)
