"""智能审核 The audit of a bill: suspicions for a person, by the rules that the region switched on.

No rule moves money. A region may let a rule hold the bill until a person has looked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from gateway.domain.audit_rules import AUDIT_RULES, MOST_HITS, MOST_SUSPECT_LINES
from gateway.domain.bill import Suspicion
from gateway.policy.model import PolicyGap
from gateway.rules.audit import charges, stays
from gateway.rules.audit.seen import Hit, Seen
from gateway.rules.context import Context

Rule = Callable[[Seen], Iterable[Hit]]

RULES: Final[Mapping[str, Rule]] = {
    "A01": charges.charged_twice,
    "A02": charges.contained,
    "A03": charges.over_quantity,
    "A04": charges.discharge_medicine,
    "A05": charges.more_than_days,
    "A06": charges.other_sex,
    "A07": charges.other_age,
    "A08": charges.no_indication,
    "A09": charges.other_level,
    "A10": charges.over_course,
    "A11": charges.maternity,
    "A12": stays.other_part,
    "A13": stays.overlapping,
    "A14": stays.split,
    "A15": stays.hanging_bed,
    "A16": charges.no_order,
    "A17": charges.outside_dates,
    "A18": charges.over_price,
    "A19": charges.pieces_alone,
    "A20": stays.no_agreement,
    "A21": stays.registered_late,
    "A22": stays.high_cost,
    "A23": stays.two_beds,
    "A24": stays.paid_by_basic_insurance,
}


def suspicions(seen: Seen) -> tuple[Suspicion, ...]:
    """What the rules switched on find, in the order of their codes. Raises PolicyGap when a
    rule is on whose number no text gives."""
    return tuple(_found(seen, _switched(seen.context, "audit/enabled", seen.last_day)))


def _found(seen: Seen, enabled: frozenset[str]) -> Iterator[Suspicion]:
    for code, rule in RULES.items():
        if code in enabled:
            yield from _told(code, tuple(rule(seen)))


def _told(
    code: str, hits: Sequence[Hit], reviewed: frozenset[str] = frozenset()
) -> Iterator[Suspicion]:
    """What a message tells of the hits: the first ones and their first lines, before all others
    those that nobody has reviewed."""
    for hit in (*hits[:MOST_HITS], *_together(hits[MOST_HITS:])):
        lines = sorted(hit.line_ids, key=reviewed.__contains__)
        yield Suspicion(code, tuple(lines[:MOST_SUSPECT_LINES]), hit.evidence)


def _together(hits: Sequence[Hit]) -> Iterator[Hit]:
    if hits:
        yield Hit(tuple(line_id for hit in hits for line_id in hit.line_ids), f"+ {len(hits)}")


def holding(seen: Seen, found: Iterable[Suspicion]) -> tuple[Suspicion, ...]:
    """The suspicions that hold the bill: those that the region says hold, until a person
    cleared the rule for the stay or reviewed every line of it."""
    holds = _switched(seen.context, "audit/hold", seen.last_day)
    codes = dict.fromkeys(
        one.code
        for one in found
        if one.code in holds
        and not AUDIT_RULES[one.code].automatic
        and one.code not in seen.stay.cleared
    )
    return tuple(one for code in codes for one in _not_reviewed(seen, code))


def _not_reviewed(seen: Seen, code: str) -> Iterator[Suspicion]:
    """What the rule finds that a person has not looked at line by line. The rule is asked anew,
    for a suspicion tells of the first lines alone."""
    looked_at = (one for one in seen.lines if one.reviewed or one.limit_met is not None)
    reviewed = frozenset(line.line_id for line in looked_at)
    hits = [hit for hit in RULES[code](seen) if not _looked_at(hit, reviewed)]
    return _told(code, hits, reviewed)


def _looked_at(hit: Hit, reviewed: frozenset[str]) -> bool:
    """Whether a person has looked at every line of the hit; the stay as a whole has none."""
    return bool(hit.line_ids) and reviewed.issuperset(hit.line_ids)


def _switched(context: Context, key: str, day: date) -> frozenset[str]:
    """The codes that the region names; a region that is silent has none switched on."""
    try:
        return frozenset(context.value(key, day).words)
    except PolicyGap:
        return frozenset()
