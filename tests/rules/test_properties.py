"""What holds of every line and bill, whatever their numbers."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import BUSINESS_ZONE
from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.catalogue import Kind
from gateway.domain.money import ONE, portion, times
from gateway.domain.split import NOTHING, Payer, total
from gateway.rules.line import Bearers, Terms, decide
from gateway.rules.settle import netted_terms, settle
from tests.rules.facts import (
    ADMITTED,
    EDITIONS,
    FIRST_DAY,
    a_bill,
    a_line,
    a_row,
    an_edition,
    noon,
    policy_with,
)

PRICES = st.integers(0, 10**10)
COUNTS = st.integers(0, 10**8)
CONSENTS = st.sampled_from([None, Payer.EMPLOYER, Payer.INDIVIDUAL])
BEARERS = st.builds(
    Bearers,
    no_consent=st.sampled_from([Payer.HOSPITAL, Payer.EMPLOYER, Payer.INDIVIDUAL]),
    ratio=st.sampled_from([Payer.EMPLOYER, Payer.INDIVIDUAL]),
    employer_not_notified=st.booleans(),
)
# By price and quantity: a charged amount beside them would be one more way to tell the amount.
CHARGED: dict[str, Any] = {
    "price": PRICES,
    "quantity": COUNTS,
    "amount_fen": st.none(),
    "quantity_limit": st.none() | COUNTS,
}
FACTS: dict[str, Any] = {
    "in_catalogue": st.booleans(),
    "ceiling": st.none() | PRICES,
    "ratio": st.integers(0, ONE),
    "consent": CONSENTS,
    "unrelated": st.booleans(),
    "outside": st.sampled_from(["", "BENEFIT_STOPPED"]),
    "violation": st.sampled_from(["", "NO_ORDER"]),
    "late": st.booleans(),
    "before_cover": st.booleans(),
    "in_arrears": st.booleans(),
    "excluded": st.sampled_from(["OUT_OF_CATALOGUE", "LIMIT_NOT_MET"]),
    "emergency_approved": st.booleans(),
    "refused_discharge": st.booleans(),
}
IN_CATALOGUE = st.builds(
    Terms,
    **CHARGED,
    in_catalogue=st.just(True),
    ceiling=FACTS["ceiling"],
    ratio=FACTS["ratio"],
    consent=CONSENTS,
    **{
        key: st.just(False)
        for key in ("unrelated", "late", "before_cover", "in_arrears", "emergency_approved")
    },
    **{key: st.just("") for key in ("outside", "violation", "excluded")},
    refused_discharge=st.just(False),
)
# Of all facts at random few lines reach the ceiling and the ratio: half of them are sent there.
TERMS = st.one_of(IN_CATALOGUE, st.builds(Terms, **CHARGED, **FACTS))


def eligible_fen(terms: Terms) -> int:
    """round(min(price, ceiling) × min(quantity, limit)), written anew."""
    assert terms.price is not None
    limit, ceiling = terms.quantity_limit, terms.ceiling
    count = terms.quantity if limit is None else min(terms.quantity, limit)
    return times(terms.price if ceiling is None else min(terms.price, ceiling), count)


@given(TERMS, BEARERS)
def test_the_payers_of_a_line_add_up_to_the_line_and_none_gets_money(terms: Terms, who: Bearers):
    decided = decide(terms, who)
    assert sum(decided.split) == decided.amount_fen == times(terms.price or 0, terms.quantity)
    assert min(decided.split) >= 0


@given(IN_CATALOGUE, BEARERS)
def test_the_fund_bears_the_ratio_of_what_is_eligible(terms: Terms, who: Bearers):
    decided = decide(terms, who)
    assert decided.split.fund_fen == portion(eligible_fen(terms), terms.ratio)
    assert 0 <= decided.split.fund_fen <= eligible_fen(terms) <= decided.amount_fen


@given(TERMS, BEARERS)
def test_a_reason_appears_just_when_money_moved_from_the_fund(terms: Terms, who: Bearers):
    decided = decide(terms, who)
    moved = decided.split.fund_fen != decided.amount_fen
    assert bool(set(decided.reasons) - {"EMERGENCY_APPROVED"}) is moved
    assert len(set(decided.reasons)) == len(decided.reasons)


@given(TERMS, BEARERS)
def test_a_line_and_its_negation_sum_to_nothing(terms: Terms, who: Bearers):
    line = terms._replace(quantity_limit=None)
    back = line._replace(quantity=-line.quantity)
    assert decide(line, who).split.plus(decide(back, who).split) == NOTHING


@given(IN_CATALOGUE, BEARERS, PRICES, st.integers(0, ONE), st.integers(0, ONE))
def test_raising_a_ceiling_never_lowers_the_share_of_the_fund(
    terms: Terms, who: Bearers, price: int, one: int, other: int
):
    # Ceilings below the price: two prices at random seldom cut it both.
    terms = terms._replace(price=price, quantity=terms.quantity + ONE, quantity_limit=None)
    lower, higher = sorted(price * share // ONE for share in (one, other))
    at_lower = decide(terms._replace(ceiling=lower), who).split.fund_fen
    at_higher = decide(terms._replace(ceiling=higher), who).split.fund_fen
    without = decide(terms._replace(ceiling=None), who).split.fund_fen
    assert at_lower <= at_higher <= without


@given(TERMS, BEARERS, CONSENTS)
def test_consent_never_changes_the_share_of_the_fund(
    terms: Terms, who: Bearers, consent: Payer | None
):
    signed = terms._replace(consent=consent)
    assert decide(signed, who).split.fund_fen == decide(terms, who).split.fund_fen


@given(TERMS, BEARERS)
def test_a_late_application_moves_the_share_of_the_fund_and_nothing_else(
    terms: Terms, who: Bearers
):
    in_time = decide(terms._replace(late=False), who).split
    late = decide(terms._replace(late=True), who).split
    assert late.fund_fen == 0
    assert late.employer_fen == in_time.employer_fen + in_time.fund_fen
    assert late[2:] == in_time[2:]


# Days and minutes of a bill: few, so that some lines of a bill share them and some do not.
SERVED = st.builds(
    lambda day, minute: noon(ADMITTED) + timedelta(days=day, minutes=minute),
    st.integers(0, 4),
    st.sampled_from([0, 1, 600]),
)


def at(instant: datetime, line: BillLine) -> BillLine:
    """The same line charged at another time."""
    served = instant.astimezone(BUSINESS_ZONE).date()
    return line._replace(occurred_at=instant, service_day=served)


@st.composite
def bills(draw: st.DrawFn) -> list:
    """Originals of any code on several days and minutes, some given back in up to three parts of
    at most the whole at any time."""
    lines: list = []
    codes = st.sampled_from(
        "TABLET BED PLATE UNKNOWN DRESSING MATERNITY NURSING CONSULT PHYSIO COURSE".split()
    )
    for no in range(draw(st.integers(1, 5))):
        count = draw(st.integers(1, 9))
        facts: dict[str, Any] = {
            "code": draw(codes),
            "price": f"{draw(st.integers(0, 99))}.{draw(st.integers(0, 9999)):04}",
            "relation": draw(st.sampled_from(["injury", "unrelated"])),
            "violation": draw(st.sampled_from(["", "", "NO_ORDER"])),
        }
        consent = draw(st.sampled_from([None, "employer", "individual"]))
        line = a_line(line_id=f"L{no}", qty=str(count), consent=consent, **facts)
        original = at(draw(SERVED), line)
        lines.append(original)
        left, left_fen = count, original.amount_fen
        for part in range(draw(st.integers(0, 3))):
            back = min(left, draw(st.integers(1, 4)))
            given_back = times(original.price, back * ONE)
            if not back or given_back > left_fen:
                break
            left, left_fen = left - back, left_fen - given_back
            refund = a_line(line_id=f"R{no}{part}", qty=f"-{back}", refund_of=f"L{no}", **facts)
            lines.append(at(draw(SERVED), refund))
    return lines


POLICY = policy_with({"line/ratio_item": 9000, "line/ratio_material": 7500})


def computed(lines: list) -> BillVerdict:
    verdict = settle(a_bill(*lines), POLICY)
    assert isinstance(verdict, BillVerdict)
    return verdict


@given(bills())
def test_every_line_of_a_bill_keeps_its_amount_to_the_fen(lines: list):
    verdict = computed(lines)
    amounts = {line.line_id: line.amount_fen for line in lines}
    assert {line.line_id: sum(line.split) for line in verdict.lines} == amounts
    assert verdict.total_fen == sum(amounts.values())


@given(bills(), st.integers())
def test_the_order_of_the_lines_in_the_message_never_matters(lines: list, seed: int):
    shuffled = list(lines)
    Random(seed).shuffle(shuffled)  # noqa: S311 - a shuffle, not a secret
    assert computed(shuffled) == computed(lines)


@given(bills())
def test_a_line_with_its_refunds_is_borne_as_one_line_of_net_quantity(lines: list):
    verdict = {line.line_id: line.split for line in computed(lines).lines}
    nets, summed = [], {}
    for original in (line for line in lines if not line.refund_of):
        refunds = [line for line in lines if line.refund_of == original.line_id]
        nets.append(
            original._replace(
                quantity=original.quantity + sum(line.quantity for line in refunds),
                amount_fen=original.amount_fen + sum(line.amount_fen for line in refunds),
            )
        )
        summed[original.line_id] = total([verdict[line.line_id] for line in (original, *refunds)])
    assert summed == {line.line_id: line.split for line in computed(nets).lines}


def signed_by(lines: list, consent: Payer | None) -> list:
    """The same bill with every original and its refunds signed by one payer."""
    return [line._replace(consent=consent) for line in lines]


def eligible_of_charged(terms: Terms) -> int:
    """What is eligible of the amount that was charged, which after refunds that were each
    rounded need not be round(price × quantity)."""
    assert terms.price is not None
    assert terms.amount_fen is not None
    eligible = eligible_fen(terms)
    uncut = eligible == times(terms.price, terms.quantity)
    return terms.amount_fen if uncut else min(eligible, terms.amount_fen)


@given(bills())
def test_the_fund_bears_between_nothing_and_what_is_eligible_of_each_netted_line(lines: list):
    bill = a_bill(*lines)
    splits = {line.line_id: line.split for line in computed(lines).lines}
    for told in netted_terms(bill, POLICY):
        with_refunds = [
            splits[line.line_id] for line in lines if told.line_id in (line.line_id, line.refund_of)
        ]
        assert 0 <= total(with_refunds).fund_fen <= eligible_of_charged(told.terms)


@given(bills(), CONSENTS)
def test_consent_on_a_bill_never_changes_what_the_fund_bears(lines: list, consent: Payer | None):
    before, after = computed(lines), computed(signed_by(lines, consent))
    assert [line.split.fund_fen for line in after.lines] == [
        line.split.fund_fen for line in before.lines
    ]


CEILINGS = st.integers(0, 100_000_000)


@given(bills(), CEILINGS, CEILINGS)
def test_a_bill_never_loses_of_the_fund_by_a_higher_ceiling(lines: list, one: int, other: int):
    lines = [*lines, a_line(line_id="P", code="PLATE", price="60.00", qty="3")]

    def fund_at(ceiling: int) -> int:
        plate = a_row("PLATE", Kind.MATERIAL, ceilings=((None, ceiling),))
        edition = an_edition(Kind.MATERIAL, [plate], FIRST_DAY)
        others = tuple(each for each in EDITIONS if each.kind is not Kind.MATERIAL)
        bill = a_bill(*lines, editions=(*others, edition))
        verdict = settle(bill, POLICY)
        assert isinstance(verdict, BillVerdict)
        return verdict.split.fund_fen

    lower, higher = sorted((one, other))
    assert fund_at(lower) <= fund_at(higher)
