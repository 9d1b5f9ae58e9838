"""拨付 Whom the fund pays for a stay, less what a third party paid for it already.

应当从工伤保险基金中支付的医疗费用不纳入基本医疗保险基金支付范围。
（社会保险法 第三十条第一款第（一）项） Basic insurance is therefore given back first; the rest of
the fund's share goes to whoever paid it, and what nobody paid to the hospital.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from gateway.domain.admission import HoldReason, PaidAtDischargeBy, Stay
from gateway.domain.bill import BillVerdict, Citation, Payee, PayeeShare, Payout
from gateway.domain.case import LIABLE, CaseFacts, ThirdParty
from gateway.domain.money import portion
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import Payer, Split
from gateway.policy import anchors
from gateway.policy.model import PickedBy, Policy, Value
from gateway.rules.cited import citation
from gateway.rules.context import Context
from gateway.rules.dates import dates_of, last_of_month, months_later, picked
from gateway.rules.entitlement import Hold, Manual

_DIRECTLY: Final = "bmi_refund/agency_to_hospital"
_HOSPITAL_FIRST: Final = "bmi_refund/hospital_refunds_first"
_YEAR_END: Final = "bmi_refund/year_end_month"
_MONTHS: Final = "bmi_refund/reversal_months"
_ALREADY_PAID: Final = "third_party/already_paid"
_RECOVERS: Final = "third_party/fund_recovers"
OWN_CLAIMS: Final = (PriorPayer.BASIC_INSURANCE, PriorPayer.EMPLOYER, PriorPayer.INDIVIDUAL)
"""Who is paid by the fund what they paid before it, in this order; each is a payee by its word."""
_AT_COUNTER: Final[Mapping[PaidAtDischargeBy, Payee]] = {
    PaidAtDischargeBy.NOBODY: Payee.HOSPITAL,
    PaidAtDischargeBy.EMPLOYER: Payee.EMPLOYER,
    PaidAtDischargeBy.INDIVIDUAL: Payee.INDIVIDUAL,
}
_UNPAID: Final = frozenset({ThirdParty.CONFIRMED_UNPAID, ThirdParty.UNKNOWN_PARTY})


class Difference(NamedTuple):
    """What a third party paid for eligible medical fees, what of it leaves the fund's share,
    what the fund may recover, and the texts."""

    paid_fen: int = 0
    taken_off_fen: int = 0
    recoverable_fen: int = 0
    sources: tuple[Citation, ...] = ()


def paid_out(
    verdict: BillVerdict, context: Context, counter: PaidAtDischargeBy
) -> BillVerdict | Hold | Manual:
    """The verdict with the third party's part taken off the fund, and whom the fund pays.

    `counter` paid the would-be fund share while the bill was held. Raises PolicyGap.
    """
    waits = _waits(context, verdict) or _paid_for_both(context, verdict)
    if waits is not None:
        return waits
    less = _difference(context, verdict.split.fund_fen, verdict.meal.amount_fen)
    medical_fen = verdict.split.fund_fen - less.taken_off_fen
    rest = _AT_COUNTER[counter]
    claims = list(_claims(context.stay.payments))
    if unclear(medical_fen, claims):
        return Hold(HoldReason.PRIOR_PAYMENT, note="employer + individual")
    medical = shared(medical_fen, claims, rest)
    meals = _meals(context, verdict, rest)
    split = moved(verdict.split, less.taken_off_fen)
    sources = (*less.sources, *_sources(context, medical, meals))
    payout = Payout(_shares(medical, meals), *less[:-1], sources)
    return replace(verdict, split=split, payout=payout)


# --- basic insurance -------------------------------------------------------------------------


def unreported(stay: Stay) -> str:
    """The settlement in basic insurance that the hospital names and whose payment nobody has
    reported; empty when there is none."""
    number = stay.bmi_settlement_no
    reported = {one.settlement_no for one in _of(stay.payments, PriorPayer.BASIC_INSURANCE)}
    return "" if number in reported else number


def _waits(context: Context, verdict: BillVerdict) -> Hold | Manual | None:
    """What a person has to report, or the hospital to give back, before anything is paid."""
    stay = context.stay
    number = unreported(stay)
    if number and "A24" not in stay.cleared:
        return Hold(HoldReason.PRIOR_PAYMENT, note=number, suspicions=verdict.suspicions)
    if (waits := _of_nobody(stay, context.case)) is not None:
        return waits
    found = (_to_give_back(context, one) for one in _of(stay.payments, PriorPayer.BASIC_INSURANCE))
    return next((one for one in found if one is not None), None)


def _to_give_back(context: Context, one: PriorPayment) -> Hold | Manual | None:
    """首先向基本医疗保险基金退还……再……申报工伤保险基金: where the region's text has the
    hospital give back first, the bill waits for it; a reversal of last year's fees asked for
    too late leaves only the worker's own claim."""
    if not _refund(context, _DIRECTLY, one).switch:
        return Manual("BASIC_INSURANCE_PAID")
    if not _refund(context, _HOSPITAL_FIRST, one).switch:
        return None
    if one.given_back_on is None:
        return Hold(HoldReason.PRIOR_PAYMENT, note=f"{one.settlement_no} → basic_insurance")
    asked = one.reversal_requested_on or one.given_back_on
    late = one.given_back_on > _year_end(context, one) and asked > _last_day_to_ask(context, one)
    return Manual("REVERSAL_TOO_LATE") if late else None


def _year_end(context: Context, one: PriorPayment) -> date:
    """The last day of the insurance year of this settlement: the one reported, else the one in
    which basic insurance paid."""
    month, paid = _refund(context, _YEAR_END, one).number, one.paid_on
    year = one.insurance_year or paid.year + (paid.month > month)
    return last_of_month(date(year, month, 1))


def _last_day_to_ask(context: Context, one: PriorPayment) -> date:
    """年度结束后几个月内: the last day to ask in writing for the reversal of last year's fees."""
    months = _refund(context, _MONTHS, one).number
    return last_of_month(months_later(_year_end(context, one), months))


def _refund(context: Context, key: str, one: PriorPayment) -> Value:
    """The value on the day that basic insurance paid. Raises PolicyGap."""
    dates = {**context.dates, PickedBy.EVENT_DATE: one.paid_on}
    return picked(context.policy, key, dates, one.paid_on)


# --- the third party -------------------------------------------------------------------------


def taken_off(fund_fen: int, paid_fen: int) -> int:
    """What a third party's payment for eligible medical fees leaves the fund free of, in fen:
    就差额部分, never more than the fund's share (法释〔2014〕9号 第八条)."""
    return min(fund_fen, paid_fen)


def moved(split: Split, taken_off_fen: int, payer: Payer = Payer.FUND) -> Split:
    """The payers of a stay once a third party's payment left the share of the fund, or of the
    employer in its place: still the whole."""
    return split.given(payer, -taken_off_fen).given(Payer.OTHER, taken_off_fen)


def claim(advanced_fen: int, liability: int) -> int:
    """What the third party owes the fund, in fen, once its share of liability (10^-4) is fixed:
    按照确定的责任大小依法偿还先行支付数额中的相应部分（先行支付暂行办法 第十二条）."""
    return portion(advanced_fen, liability)


def _difference(context: Context, fund_fen: int, meal_fen: int) -> Difference:
    """Only what was paid for eligible medical fees is taken off, never off meals."""
    case, last = context.case, context.stay.last_day
    if case.third_party not in LIABLE:
        return Difference()
    paid = _paid_for_medical(context.stay)
    less = taken_off(fund_fen, paid)
    sources = (context.cited(_ALREADY_PAID, last),) if paid else ()
    recourse = _recourse(context)
    medical_fen = fund_fen - less if recourse else 0
    # 在其支付的工伤保险待遇范围内: where a text says so, the meals are recovered like the fees.
    benefits_fen = meal_fen if _recovers(context) == "BENEFITS" else 0
    return Difference(paid, less, medical_fen + benefits_fen, (*sources, *recourse))


def of_employer(stay: Stay, case: CaseFacts, policy: Policy, share_fen: int) -> Difference | Hold:
    """The difference of a share that is the employer's instead of the fund's, which has nothing
    to recover: 就差额部分要求工伤保险基金或者用人单位支付。（浙江省工伤保险条例 第三十二条第二款）

    Raises PolicyGap.
    """
    if (waits := _of_nobody(stay, case)) is not None:
        return waits
    paid, last = _paid_for_medical(stay), stay.last_day
    if not paid:
        return Difference()
    value = picked(
        policy, _ALREADY_PAID, {**dates_of(stay, case), PickedBy.SERVICE_DATE: last}, last
    )
    source = citation(policy, _ALREADY_PAID, value)
    return Difference(paid, taken_off(share_fen, paid), 0, (source,))


def _paid_for_medical(stay: Stay) -> int:
    return sum(one.eligible_fen for one in _of(stay.payments, PriorPayer.THIRD_PARTY))


def _of_nobody(stay: Stay, case: CaseFacts) -> Hold | None:
    """A payment of a third party where the case knows of none: a person finds out."""
    paid = any(_of(stay.payments, PriorPayer.THIRD_PARTY))
    unknown = paid and case.third_party not in LIABLE
    return Hold(HoldReason.THIRD_PARTY, note=case.third_party) if unknown else None


def _recourse(context: Context) -> tuple[Citation, ...]:
    """基金先行支付后，有权向第三人追偿（社会保险法 第四十二条）: by the law, of medical fees, where
    the third party does not pay or cannot be found; by the region's text where that gives it."""
    by_law = (anchors.THIRD_PARTY_RECOURSE,) if context.case.third_party in _UNPAID else ()
    if _recovers(context) == "NONE":
        return by_law
    return (*by_law, context.cited(_RECOVERS, context.stay.last_day))


def _recovers(context: Context) -> str:
    """What the region's text lets the fund recover; nothing where there is no text."""
    found = context.said(_RECOVERS, context.stay.last_day)
    return "NONE" if found is None else found.word


def _paid_for_both(context: Context, verdict: BillVerdict) -> Manual | None:
    """就差额部分要求工伤保险基金或者用人单位支付。（浙江省工伤保险条例 第三十二条第二款）

    Where both bear a part of what a third party paid for, no text says whose part becomes less."""
    paid = _paid_for_medical(context.stay)
    both = paid and any(one.by_law for one in verdict.lines)
    return Manual("THIRD_PARTY") if both else None


# --- the payees ------------------------------------------------------------------------------


def shared(medical_fen: int, claims: Iterable[tuple[Payee, int]], rest: Payee) -> dict[Payee, int]:
    """The fund's medical fees over those who paid them, in the order of the claims and none
    above what it claims; what is left goes to `rest`."""
    shares: dict[Payee, int] = {}
    for payee, claimed_fen in claims:
        given = min(claimed_fen, medical_fen)
        shares[payee] = shares.get(payee, 0) + given
        medical_fen -= given
    shares[rest] = shares.get(rest, 0) + medical_fen
    return shares


def unclear(medical_fen: int, claims: Sequence[tuple[Payee, int]]) -> bool:
    """Whether employer and worker together claim more than basic insurance leaves, and it leaves
    something: no text says who of them comes first."""
    own = {payee: 0 for payee in (Payee.EMPLOYER, Payee.INDIVIDUAL)}
    for payee, claimed_fen in claims:
        if payee in own:
            own[payee] += claimed_fen
        else:
            medical_fen -= claimed_fen
    return all(own.values()) and 0 < medical_fen < sum(own.values())


def _claims(payments: Sequence[PriorPayment]) -> Iterator[tuple[Payee, int]]:
    """Basic insurance first, in whatever order it paid; then the hospital that gave it back."""
    basic = list(_of(payments, PriorPayer.BASIC_INSURANCE))
    for one in basic:
        if one.given_back_on is None:
            yield Payee.BASIC_INSURANCE, one.eligible_fen
    for one in basic:
        # Whoever was to give it back: what the hospital gave back is not paid a second time.
        if one.given_back_on is not None:
            yield Payee.HOSPITAL, one.eligible_fen
    for payer in OWN_CLAIMS[1:]:
        for one in _of(payments, payer):
            yield Payee(payer), one.eligible_fen


def _meals(context: Context, verdict: BillVerdict, rest: Payee) -> dict[Payee, int]:
    """What the employer advanced goes back to it, the rest to the worker: by the hospital where
    the channel says so and the bill did not wait, else by the agency."""
    meal = verdict.meal
    advanced = sum(one.meal_fen for one in _of(context.stay.payments, PriorPayer.EMPLOYER))
    through = meal.channel == "HOSPITAL" and rest is Payee.HOSPITAL
    to = Payee.HOSPITAL if through else Payee.INDIVIDUAL
    return shared(meal.amount_fen, [(Payee.EMPLOYER, advanced)], to)


def _shares(medical: Mapping[Payee, int], meals: Mapping[Payee, int]) -> tuple[PayeeShare, ...]:
    """One share for each payee that gets anything, in the order of the payees."""
    shares = (PayeeShare(one, medical.get(one, 0), meals.get(one, 0)) for one in Payee)
    return tuple(one for one in shares if one.medical_fen or one.meal_fen)


def _sources(
    context: Context, medical: Mapping[Payee, int], meals: Mapping[Payee, int]
) -> Iterator[Citation]:
    given_back = tuple(_of(context.stay.payments, PriorPayer.BASIC_INSURANCE))
    if given_back:
        yield anchors.GIVEN_BACK_FIRST
    keys = (_DIRECTLY, _HOSPITAL_FIRST)
    found = [
        citation(context.policy, key, _refund(context, key, one))
        for one in given_back
        for key in keys
    ]
    yield from dict.fromkeys(found)
    own = (medical.get(Payee.EMPLOYER), medical.get(Payee.INDIVIDUAL), meals.get(Payee.EMPLOYER))
    if any(own):
        yield anchors.PAID_BACK


def _of(payments: Iterable[PriorPayment], payer: PriorPayer) -> Iterator[PriorPayment]:
    return (one for one in payments if one.payer is payer)
