"""From a bill line to the terms the line rule sees: catalogue row, policy values, windows."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from hashlib import sha256

from gateway.domain.bill import BY_LAW, BillLine, Citation, Relation
from gateway.domain.case import ApprovalKind, TreatmentKind
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit
from gateway.domain.money import ONE, quantity_text
from gateway.domain.split import Payer
from gateway.policy import anchors
from gateway.policy.model import Capability, PolicyGap
from gateway.rules import limits
from gateway.rules.approvals import Asked, cited, counts, missing
from gateway.rules.context import Context, Supplied
from gateway.rules.dates import months_later
from gateway.rules.line import Bearers, Terms, decide
from gateway.rules.listed import Listed, Sources
from gateway.rules.place import crosses_province, fits_devices
from gateway.rules.plain import (
    Charge,
    Window,
    inside,
    on_the_worker,
    outside,
    rescued,
    taken,
    unprinted,
    whole,
)

_OUTPATIENT = "scope/outpatient"
_DRUG_LIMITS, _ADULT_YEARS = "line/apply_drug_limits", "person/adult_years"
_ANYBODY = Bearers(Payer.INDIVIDUAL)
"""What the fund bears of a line does not turn on who bears the rest."""


class NeedsApproval(Exception):
    """An assistive device without the committee's confirmation: the bill waits for it."""


class NeedsReview(Exception):
    """The line cannot be decided without a person: the bill waits, nothing is refused.

    It says which answer of lines.decide the line waits for, and of what.
    """

    def __init__(self, line: BillLine, answer: str, of: str = "") -> None:
        super().__init__(" ".join(filter(None, (line.line_id, answer, of))))


def find_row(context: Context, line: BillLine) -> Listed | None:
    """The catalogue row of the line on its service day, in whichever catalogue has the code.

    Raises PolicyGap when no row is found and a catalogue has no edition on that day: the code
    may stand in the edition that is missing. The last edition is never used instead.
    """
    day = line.service_day
    found = context.listed(line)
    if found is None and (missing := context.editions.missing(day)):
        kind = missing[0].value
        raise PolicyGap(
            f"catalogue/{kind}",
            day,
            f"{day} 没有生效的目录版本（{kind}）",
            f"no {kind} edition on {day}",
        )
    return found


def terms(context: Context, line: BillLine) -> tuple[Terms, Sources]:
    """The terms of one line with the sources used. Raises PolicyGap and NeedsReview.

    Place, catalogue and late window are asked only for a line that they can still move: what is
    not for the injury, a violation or stopped is decided without them.
    """
    if line.relation is Relation.UNDETERMINED:
        raise NeedsReview(line, "Relation")
    charge, ground = context.charge(line), context.ground(line.service_day)
    found = whole(ground, charge)
    if found is None or found[0].refused_discharge:
        beyond = context.beyond_emergency(line.service_day)
        if beyond is not None:
            limit = context.cited(beyond.key, line.service_day)
            return taken(charge, outside=beyond.reason), (ground.fund_pays(line.code), limit)
    if found is None and not line.reviewed:
        _of_the_stay(context, line)
    return found or _catalogued(context, line, charge)


def _of_the_stay(context: Context, line: BillLine) -> None:
    """Raises NeedsReview of a day before the injury, for nothing treats one still to come, and of
    one outside the stay where the fees of outpatients go by hand; PolicyGap where no text says."""
    stay, day, holding = context.stay, line.service_day, context.holding(line.service_day)
    if holding.before_injury:
        raise NeedsReview(line, "Relation", f"< {context.case.event_day}")
    if holding.outpatient and context.value(_OUTPATIENT, day).word == "MANUAL":
        raise NeedsReview(line, "Relation", f"{_OUTPATIENT} ∉ {stay.admitted_on} – {stay.last_day}")


def _catalogued(context: Context, line: BillLine, charge: Charge) -> tuple[Terms, Sources]:
    """The terms by catalogue, limits, approvals and windows."""
    listed, rescue = find_row(context, line), line.line_id in context.rescued
    payable = listed is not None and _payable(context, line, listed.row)
    if payable or rescue:
        _within_agreement(context, line, listed)
    if listed is None or not payable:
        window = _window(context, line.service_day) if rescue else None
        return outside(context.ground(line.service_day), charge, listed, window)
    if listed.row.life_months is not None:
        return _device(context, line, listed, listed.row.life_months)
    if unmet := _unmet_limit(context, line, listed.remark, rescue=rescue):
        return _beyond_limit(context, line, listed, unmet, rescue=rescue)
    return _inside(context, line, listed, rescue)


def _within_agreement(context: Context, line: BillLine, listed: Listed | None) -> None:
    """Medical treatment and devices each have institutions and agreements of their own
    (第三十条第二款、第四十七条); no approval of the place makes one the other. Raises
    NeedsReview."""
    device = listed is not None and listed.row.life_months is not None
    covered = fits_devices(context.asked.hospital) if device else not context.devices_alone
    if not covered and not line.reviewed:
        kind = Capability.DEVICE if device else Capability.MEDICAL
        raise NeedsReview(line, "Relation", f"capability {kind.value}")
    if device and not line.reviewed and _by_another_catalogue(context):
        raise NeedsReview(line, "Relation", f"catalogue {context.policy.region}")


def _by_another_catalogue(context: Context) -> bool:
    """Whether the stay is computed by the catalogue of another place than that of its devices,
    which is the insured place's wherever they are fitted."""
    device = context.stay.treatment is TreatmentKind.DEVICE
    return not device and crosses_province(context.asked.hospital, context.policy)


def _window(context: Context, day: date) -> Window:
    """Raises PolicyGap."""
    return context.holding(day).window(late=context.late(day))


def _inside(
    context: Context, line: BillLine, listed: Listed, rescue: bool
) -> tuple[Terms, Sources]:
    day, charge = line.service_day, context.charge(line)
    if unprinted(listed):
        raise _no_single_standard(listed.row.code, day)
    rate, window = context.rate(listed.row.kind, day), _window(context, day)
    ground = context.ground(day)
    if not rescue and on_the_worker(ground, charge, listed):
        charge = _hospitals(context, line, listed)
    return inside(ground, charge, listed, rate, window, rescue=rescue)


def _hospitals(context: Context, line: BillLine, listed: Listed) -> Charge:
    """A price above the payment standard that a person found not to be the worker's, as if
    nobody had signed. Raises NeedsReview."""
    unsigned = context.charge(line)._replace(consent=None)
    if line.limit_met is None or on_the_worker(context.ground(line.service_day), unsigned, listed):
        raise NeedsReview(line, "LimitMet", f"> {line.code}/pay_standard")
    return unsigned


def _no_single_standard(code: str, day: date) -> PolicyGap:
    return PolicyGap(
        "catalogue/pay_standard",
        day,
        f"目录未公布唯一的支付标准（{code}）",
        f"the list prints no single payment standard ({code})",
    )


def _confirmed_device(context: Context, line: BillLine) -> None:
    """经劳动能力鉴定委员会确认，可以……配置轮椅等辅助器具（第三十二条）: what was confirmed is this
    device, another needs its own confirmation. Raises NeedsApproval."""
    kind, day = ApprovalKind.DEVICE, line.service_day
    asked = replace(context.asked, device=line.code)
    lacking = missing(asked, {kind}, f"approval {kind} of {line.code}", day, day)
    if lacking:
        raise NeedsApproval(lacking)


def _device(
    context: Context, line: BillLine, listed: Listed, life_months: int
) -> tuple[Terms, Sources]:
    """A device that was confirmed, once in its life, and more than one on a day only as a person
    saw it. Raises NeedsApproval, NeedsReview and PolicyGap."""
    _confirmed_device(context, line)
    running = device_in_use(context, line, life_months)
    if running is not None or line.limit_met is False:
        return _too_early(context.charge(line), listed, running or line.service_day)
    number = _number(context, line)
    resolved, sources = _inside(context, line, listed, line.line_id in context.rescued)
    return resolved, (*sources, *number)


def device_in_use(context: Context, line: BillLine, life_months: int) -> date | None:
    """The day on which the fund supplied the same device, by an earlier settlement or an earlier
    day of this bill, if its life by the list in force now has not ended on the day."""
    day, days = line.service_day, _supplied(context, line.code).days
    before = bisect_left(days, day)
    return _running([*_earlier(context, line), *days[:before]], day, life_months)


def _earlier(context: Context, line: BillLine) -> list[date]:
    """The days on which earlier settlements supplied the device."""
    return [
        one.supplied_on
        for one in context.devices
        if one.code == line.code and one.supplied_on <= line.service_day
    ]


def _running(supplied: list[date], day: date, life_months: int) -> date | None:
    latest = max(supplied, default=None)
    return None if latest is None or months_later(latest, life_months) < day else latest


def _supplied(context: Context, code: str) -> Supplied:
    """What of the device the bill itself supplies, net of refunds: a line is asked after those
    of earlier days, which its own answer turns on."""
    found = context.supplied.get(code)
    if found is None:
        lines = [one for one in context.counted if one.code == code]
        found = context.supplied[code] = context.numbers(lines)
        for one in lines:
            decided = decide(terms(context, one)[0], _ANYBODY)
            # Borne by the employer in the fund's place it was supplied all the same.
            if decided.split.fund_fen or not BY_LAW.isdisjoint(decided.reasons):
                found.days.append(one.service_day)
    return found


def _number(context: Context, line: BillLine) -> Sources:
    """Several of one device on a day, as a pair is, replace nothing; but whether so many were
    confirmed only the agency can tell, for 第三十二条 is silent. Raises NeedsReview."""
    number = _supplied(context, line.code).numbers[line.service_day]
    pair = context.netted.refunded.get(line.line_id)
    if number <= ONE or (pair is not None and not pair.net.quantity):
        return ()
    if line.limit_met is None:
        raise NeedsReview(line, "LimitMet", f"{quantity_text(number)} × {line.code}")
    told = {"key": f"device/number/{line.code}", "value": quantity_text(number)}
    return (replace(anchors.DEVICES, **told, our_reading=True),)


def _too_early(charge: Charge, listed: Listed, running: date) -> tuple[Terms, Sources]:
    """Replaced before its life ended: as if the list had nothing for it on the day."""
    life = replace(
        listed.source,
        key=f"{listed.source.key}/life_months",
        value=str(listed.row.life_months),
        our_reading=True,
    )
    key = f"device/supplied/{listed.row.code}"
    supplied = replace(anchors.DEVICES, key=key, since=running.isoformat())
    resolved = taken(charge, in_catalogue=False, excluded="LIFE_NOT_ENDED")
    return resolved, (anchors.DEVICES, life, supplied)


def shut_out(context: Context, line: BillLine, listed: Listed) -> bool:
    """Whether the list lets the fund pay nothing of the line, so that it uses up no quantity.
    Raises PolicyGap and NeedsReview."""
    row, day = listed.row, line.service_day
    if not _payable(context, line, row):
        return True
    if row.life_months is not None:
        running = _running(_earlier(context, line), day, row.life_months)
        return line.limit_met is False or running is not None
    return _unmet_limit(context, line, listed.remark, rescue=True) is not None


def _unmet_limit(
    context: Context, line: BillLine, read: limits.Limits, *, rescue: bool
) -> limits.Unmet | None:
    """Why the remark of the drug list shuts the line out, if it does. Raises PolicyGap where no
    text says whether remarks bind, and NeedsReview where only a person can tell: of what was
    approved for rescue a person has told."""
    if not read or not context.value(_DRUG_LIMITS, line.service_day).switch:
        return None
    if line.limit_met is False:
        return limits.Unmet.DECIDED
    unmet = limits.unmet(read, using(context, line, read))
    asked = unmet is None and line.limit_met is None and not rescue
    if asked and limits.for_person(read, context.stay):
        raise NeedsReview(line, "LimitMet", f"{line.code}/remark")
    return unmet


def using(context: Context, line: BillLine, read: limits.Limits) -> limits.Using:
    """The use of a drug that a line stands for. Raises PolicyGap."""
    day = line.service_day
    asked = read.adult is not None and context.stay.born_on is not None
    return limits.Using(
        stay=context.stay,
        level=context.level,
        day=day,
        nth_day=sum(one < day for one in context.days_used(line.code)),
        adult_years=context.value(_ADULT_YEARS, day).number if asked else 0,
    )


def _beyond_limit(
    context: Context, line: BillLine, listed: Listed, unmet: limits.Unmet, *, rescue: bool
) -> tuple[Terms, Sources]:
    """Outside the catalogue by the remark; what was approved for rescue is the fund's whole, and
    its window moves it to the employer."""
    limit = replace(listed.source, key=f"{listed.source.key}/remark", value=listed.row.remark)
    # A course is counted over this stay alone: the list does not say over which.
    limit = replace(limit, our_reading=unmet in (limits.Unmet.COURSE, limits.Unmet.AGE))
    day = line.service_day
    used = [context.cited(_DRUG_LIMITS, day)]
    used += [context.cited(_ADULT_YEARS, day)] if unmet is limits.Unmet.AGE else []
    facts, moved_by = rescued(_window(context, day) if rescue else None)
    resolved = taken(context.charge(line), in_catalogue=False, excluded="LIMIT_NOT_MET", **facts)
    article = context.ground(day).fund_pays(line.code)
    return resolved, (article, *moved_by, limit, *used)


def _payable(context: Context, line: BillLine, row: CatalogueRow) -> bool:
    """Whether the catalogue lets the fund pay this row on the service day."""
    if not row.payable or row.insurance_limit is InsuranceLimit.MATERNITY:
        return False
    if not row.agreed_on(line.service_day):
        return False
    if row.not_alone and line.prescription_no not in context.accompanied_pieces:
        return False
    if row.insurance_limit is not InsuranceLimit.CONDITIONAL:
        return True
    if line.limit_met is None:
        raise NeedsReview(line, "LimitMet", f"{line.code}/remark")
    # 限…或生育保险 says who pays, whether or not remarks bind in the region.
    return line.limit_met


def rescue_mark(admission_id: str, line: BillLine) -> str:
    """What an approval for rescue names: this line of this stay, and what it charged when it was
    approved. The same id in another stay, or with another content, is another mark."""
    content = (line.code, line.price, line.quantity, line.amount_fen, line.service_day)
    digest = sha256("|".join(map(str, content)).encode()).hexdigest()
    return f"{admission_id}/{line.line_id}/{digest[:16]}"


def rescued_lines(asked: Asked, originals: Iterable[BillLine]) -> dict[str, Citation]:
    """The lines that an approval which counts on their service day names as needed for rescue,
    as they are charged now, each with the approval. Raises PolicyGap."""
    kind = ApprovalKind.EMERGENCY_ITEM
    approvals = [one for one in asked.case.approvals if one.kind is kind]
    if not approvals:
        return {}
    return {
        line.line_id: cited(asked, approval)
        for line in originals
        for approval in approvals
        if rescue_mark(asked.stay.admission_id, line) in approval.line_ids
        and counts(asked, approval, line.service_day)
    }
