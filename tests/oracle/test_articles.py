"""The articles that the lines of generated bills cite, named twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict, Citation, LineVerdict
from gateway.domain.case import Approval, ApprovalKind, AuthorityKind, TreatmentKind
from gateway.policy import anchors
from gateway.rules.context import Context
from gateway.rules.settle import Bill, settle
from tests.oracle.articles import FOR_TREATMENT, OTHER_ILLNESS, article, covered_since
from tests.oracle.built import bill_of, policy_of, shelf_of
from tests.oracle.employers import disagree, liable
from tests.oracle.stays import stays
from tests.rules.facts import HOSPITAL

SEED, BILLS = 20261122, 800
TREATED = tuple(FOR_TREATMENT)
"""An ordinary stay of the generator is told as each of these in turn."""
Facts = dict[str, Any]


def as_treated(bill: Bill, treatment: str) -> Bill:
    """The stay for another treatment, approved for all its days, at a hospital that gives it."""
    if treatment == "INPATIENT":
        return bill
    assert bill.case is not None
    approval = Approval(
        approval_no="T1",
        kind=ApprovalKind(treatment),
        hospitals=frozenset({HOSPITAL}),
        valid_from=bill.stay.admitted_on,
        valid_to=bill.stay.last_day,
        authority_kind=AuthorityKind.ASSESSMENT_COMMITTEE,
        authority="示例市（虚构）",
    )
    case = replace(bill.case, approvals=(*bill.case.approvals, approval))
    stay = replace(bill.stay, treatment=TreatmentKind(treatment))
    capable = bill.hospital.capabilities | {"REHABILITATION", "DEVICE"}
    return replace(
        bill, stay=stay, case=case, hospital=replace(bill.hospital, capabilities=capable)
    )


def settled() -> Iterator[tuple[Facts, str, BillVerdict]]:
    """The generated bills that settle, each with the treatment that it is told as."""
    for place, facts in enumerate(stays(SEED, BILLS)):
        policy = policy_of(facts["policy"])
        treatment = facts["stay"]["treatment"]
        if treatment == "INPATIENT" and not facts["stay"]["emergency"]:
            treatment = TREATED[place % len(TREATED)]
        bill = as_treated(bill_of(facts, shelf_of(facts), policy), treatment)
        verdict = settle(bill, policy)
        if isinstance(verdict, BillVerdict):
            assert not disagree(facts)
            yield facts | {"liable": liable(facts)}, treatment, verdict


def charged(facts: Facts, verdict: BillVerdict) -> Iterator[tuple[Facts, LineVerdict]]:
    """Each line that gives nothing back, with what was decided of it."""
    told = {line["id"]: line for line in facts["lines"]}
    for line in verdict.lines:
        if not told[line.line_id]["refund_of"]:
            yield told[line.line_id], line


def compared() -> Iterator[tuple[Facts, str, Facts, LineVerdict]]:
    """Every such line with its bill and the treatment that the stay is told as."""
    for facts, treatment, verdict in settled():
        yield from ((facts, treatment, told, line) for told, line in charged(facts, verdict))


def apart() -> Counter[str]:
    """How many lines cite another article than the oracle names, and how many were compared."""
    found = Counter[str]()
    for facts, treatment, told, line in compared():
        wanted, days = article(facts, told, treatment), _covered(facts, told)
        found[wanted] += 1
        found["newly"] += bool(days and line.split.fund_fen)
        found["article apart"] += line.citations[0].law != wanted
        found["newly apart"] += newly_arising(line) not in (
            [days] if line.split.fund_fen else [days, []]
        )
    return found


def _covered(facts: Facts, told: Facts) -> list[str]:
    since = covered_since(facts, told["day"])
    return [] if since is None else [date.fromordinal(since).isoformat()]


def newly_arising(line: LineVerdict) -> list[str]:
    """Since when the line says, as our reading, that its costs newly arise for the fund."""
    return [one.since for one in line.citations if _newly(one)]


def _newly(one: Citation) -> bool:
    by_law = one.our_reading and one.law == "《工伤保险条例》第六十二条第三款"
    return by_law and (one.key, one.value) == ("law/newly_arising", "fund")


def test_every_line_cites_the_articles_that_the_oracle_names():
    found = apart()
    assert (found["article apart"], found["newly apart"]) == (0, 0)
    for wanted in (*FOR_TREATMENT.values(), OTHER_ILLNESS, "newly"):
        assert found[wanted] >= 10, wanted


def test_one_article_for_every_treatment_is_found(monkeypatch: pytest.MonkeyPatch):
    for_all = dict.fromkeys(TreatmentKind, anchors.FUND_PAYS)
    monkeypatch.setattr(anchors, "FUND_PAYS_FOR", for_all)
    assert apart()["article apart"] >= 10


def test_a_line_that_does_not_say_since_when_it_is_covered_is_found(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(Context, "_newly_arising", ())
    assert apart()["newly apart"] >= 10
