"""What stands behind every reason that gives money to the fund or takes it away: an article, or a
policy key without which the bill waits. Every row of the tables is asked, so no row can be chosen
so as to please."""

from functools import cache
from typing import Any, Final

import pytest

from gateway.domain.admission import HoldReason
from gateway.domain.bill import BillVerdict, Citation, LineVerdict
from gateway.domain.reasons import REASONS, VIOLATIONS
from gateway.domain.split import Payer
from gateway.policy import anchors
from gateway.policy.keys import KEYS
from gateway.rules.entitlement import Hold
from gateway.rules.plain import NO_CONSENT, NOT_NOTIFIED, RATIO, REFUSED, RESCUE
from tests.rules.asking import Row, answered, every_row, the_bill

ARTICLES: Final = {
    "NOT_INJURY": anchors.OTHER_DISEASES,
    "BENEFIT_STOPPED": anchors.BENEFIT_STOPPED,
    "LATE_APPLICATION": anchors.LATE_APPLICATION,
    "BEFORE_COVER": anchors.NEWLY_ARISING,
    "LIFE_NOT_ENDED": anchors.DEVICES,
    # 符合……目录、……标准的 is what the fund pays: the rest is not the fund's by the same words.
    **dict.fromkeys(
        ("OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "OVER_CEILING", "OVER_QTY"), anchors.FUND_PAYS
    ),
}
"""Reasons that an article of the law gives: every line with the reason cites it."""

KEYS_OF: Final[dict[str, tuple[str, ...]]] = {
    "REFUSED_DISCHARGE": (REFUSED,),
    "REGIONAL_RATIO": (RATIO,),
    "EMPLOYER_IN_ARREARS": ("arrears/policy",),
    "EMERGENCY_APPROVED": (RESCUE, "authority/emergency_item"),
    # Whether the last day counts (late/window_end_inclusive) is asked for that day alone.
    "LATE_APPLICATION": ("employer/application_days", "late/window_end_event"),
    **dict.fromkeys(
        ("OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "LIFE_NOT_ENDED", "OVER_CEILING"), (NO_CONSENT,)
    ),
}
"""Keys without which a bill with such a line waits for a person."""

ONLY_BY_A_TEXT: Final = {
    "EMERGENCY_OVER": ("emergency/inpatient_days", "文本没有天数的，急救照付：只有条文能减少支付"),
    "NOT_MOVED_BACK": ("emergency/move_back_when_stable", "文本没有规定转回的，急救照付"),
    "EMPLOYER_NOT_NOTIFIED": (NOT_NOTIFIED, "文本没有规定的，医院的话不改变承担方"),
}
"""Reasons that exist only where a text gives them: silent, the reason is gone and the fund loses
nothing by it."""

SETTLES_WITHOUT: Final = {
    **dict(ONLY_BY_A_TEXT.values()),
    "cross_province/meal": "没有另行规定的，伙食补助随住院结算",
    "cover/from_day_after_roster": "文本没有规定名册的，参保缴清次日起即为新发生的费用",
    "meal/after_paid_leave_per_day_fen": "没有期满标准的，标准不变",
    "meal/form": "没有写明形式而有每日定额的，就是定额",
    "meal/out_of_region_form": "没有写明形式而有外地每日定额的，就是定额",
    "meal/rounding": "没有写明的，每日标准先舍入到分",
}
"""Keys without which a bill may settle, each with its reason."""

ELSEWHERE: Final = {
    "EMERGENCY_REPORTED_LATE": "整单拒付，或重新审核时移转；emergency/late_report 见 place.toml",
    **dict.fromkeys(VIOLATIONS, "依据是扣减通知所引的协议条款，经陈述申辩和复核（rules/cuts.py）"),
}
"""Reasons with something else behind them."""

EXCESS: Final = [reason for reason, keys in KEYS_OF.items() if keys == (NO_CONSENT,)]


@cache
def settled_rows() -> tuple[tuple[Row, BillVerdict], ...]:
    """Every row of the tables that settles a bill, with what the rules say to it."""
    asked = [row for row in every_row() if row.ask == "settle"]
    return tuple(
        (row, verdict) for row in asked if isinstance(verdict := answered(row), BillVerdict)
    )


def lines_with(reason: str) -> list[tuple[Row, LineVerdict]]:
    """Every line that a row of the tables settles for this reason."""
    return [
        (row, line)
        for row, verdict in settled_rows()
        for line in verdict.lines
        if reason in line.reasons
    ]


def keys_cited(verdict: BillVerdict) -> list[str]:
    """The keys of the policy that a settlement rests on."""
    cited = {one.key for line in verdict.lines for one in line.citations}
    cited |= {one.key for one in (*verdict.grounds, *verdict.meal.citations)}
    return sorted(cited & set(KEYS))


def is_cited(key: str, line: LineVerdict) -> bool:
    return any(one.key == key for one in line.citations)


def silenced(row: Row, key: str) -> Any:
    """What the rules say to the row where no text gives the key."""
    given = {name: one for name, one in row.told.get("policy", {}).items() if name != key}
    silent = [*row.told.get("silent", ()), key]
    return answered(Row(row.table, row.told | {"policy": given, "silent": silent}))


def waits_for(answer: Any, key: str) -> bool:
    """Whether a person must give the key before the bill is settled."""
    held = isinstance(answer, Hold) and answer.reason is HoldReason.POLICY_GAP
    return held and answer.key == key


def test_every_reason_has_something_behind_it_and_nothing_is_behind_a_reason_that_is_gone():
    behind, else_ = {*ARTICLES, *KEYS_OF}, {*ONLY_BY_A_TEXT, *ELSEWHERE}
    assert behind | else_ == set(REASONS)
    assert not behind & else_
    assert {key for keys in KEYS_OF.values() for key in keys} | set(SETTLES_WITHOUT) <= set(KEYS)


@pytest.mark.parametrize("reason", ARTICLES)
def test_the_article_is_cited_on_every_line_with_the_reason(reason: str):
    found = lines_with(reason)
    assert found
    for row, line in found:
        assert _articles(ARTICLES[reason], row) & set(line.citations), row.name


def _articles(article: Citation, row: Row) -> set[Citation]:
    """The article; what the fund pays, it pays by that of such a stay, and a device by its own."""
    if article is not anchors.FUND_PAYS:
        return {article}
    return {anchors.FUND_PAYS_FOR[the_bill(row).stay.treatment], anchors.DEVICES}


@pytest.mark.parametrize(
    ("reason", "key"), [(reason, key) for reason, keys in KEYS_OF.items() for key in keys]
)
def test_a_bill_waits_where_no_text_gives_the_key_behind_its_reason(reason: str, key: str):
    """Of what somebody signed for, nobody is asked who bears it: the next test but one."""
    found = [one for one in lines_with(reason) if key != NO_CONSENT or is_cited(key, one[1])]
    assert found
    for row, _ in found:
        assert waits_for(silenced(row, key), key), row.name


def test_no_settlement_that_cites_a_key_goes_on_without_it():
    settled_without = set()
    for row, verdict in settled_rows():
        for key in keys_cited(verdict):
            if not waits_for(silenced(row, key), key):
                assert key in SETTLES_WITHOUT, (row.name, key)
                settled_without.add(key)
    assert settled_without == set(SETTLES_WITHOUT)


@pytest.mark.parametrize("reason", EXCESS)
def test_what_asks_no_text_who_bears_it_is_borne_by_whoever_signed(reason: str):
    for row, line in lines_with(reason):
        if not is_cited(NO_CONSENT, line):
            assert line.split.borne_by(signed(row, line.line_id)), row.name


def signed(row: Row, line_id: str) -> Payer:
    """Who signed for the line, or for the line that it gives back."""
    told = row.told["lines"][int(line_id[1:]) - 1]
    return Payer(told["consent"]) if "consent" in told else signed(row, told["refund_of"])


@pytest.mark.parametrize("reason", ONLY_BY_A_TEXT)
def test_where_no_text_gives_it_the_reason_is_gone_and_the_fund_bears_no_less(reason: str):
    key, _ = ONLY_BY_A_TEXT[reason]
    compared = 0
    for row, line in lines_with(reason):
        assert is_cited(key, line), row.name
        answer = silenced(row, key)
        if isinstance(answer, BillVerdict):
            compared += 1
            (same,) = [one for one in answer.lines if one.line_id == line.line_id]
            assert reason not in same.reasons, row.name
            assert same.split.fund_fen >= line.split.fund_fen, row.name
        else:
            assert isinstance(answer, Hold), row.name
    assert compared
