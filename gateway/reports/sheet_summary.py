"""结算单首页 The first pages of a sheet: who, when, how much, by what right."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from gateway.clock import BUSINESS_ZONE, business_day
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import Citation, PayeeShare, Payout, Suspicion
from gateway.domain.money import yuan
from gateway.domain.readings import used_in_bill
from gateway.domain.reasons import REASONS, ROUNDING
from gateway.domain.results import Settlement
from gateway.domain.split import Payer, Split, total
from gateway.reports.paper import MARGIN, Align, Box, Label, Rule, Stack, Tone
from gateway.reports.sheet_cuts import cuts
from gateway.reports.sheet_data import Sheet, SheetLine
from gateway.reports.sheet_words import (
    CHANNELS,
    LEVELS,
    NO_CATEGORY,
    NOTES,
    PAYEES,
    PAYERS,
    REMEDIES,
    SIGNATURES,
    TITLE,
    TREATMENTS,
    WITHIN,
)
from gateway.reports.tabular import (
    SMALL,
    Cell,
    Column,
    Entry,
    Piece,
    grid,
    heading,
    paragraph,
    table,
)

_Key = TypeVar("_Key")
_MINUTE: Final = "%Y-%m-%d %H:%M"
_RIGHT: Final = Align.RIGHT
_LARGE: Final = 12.0
_LINES_SHOWN: Final = 8
_SUMS: Final = (
    Column("行数", "Lines", 35, _RIGHT),
    Column("金额", "Amount", 64, _RIGHT),
    *(Column(zh, en, 57, _RIGHT) for zh, en in PAYERS.values()),
)
_SUM_WIDTH: Final = sum(column.width for column in _SUMS)


def amount(amount_fen: int, *, bold: bool = False) -> Cell:
    """An amount in yuan; nothing stands faint, so that what counts is seen."""
    return (Piece(yuan(amount_fen), tone=Tone.INK if amount_fen else Tone.FAINT, bold=bold),)


def summary(stack: Stack, sheet: Sheet, numbers: dict[Citation, int]) -> None:
    """Everything but the lines."""
    _title(stack, sheet)
    _facts(stack, sheet)
    _totals(stack, sheet)
    _meal(stack, sheet)
    _payout(stack, sheet)
    _categories(stack, sheet.lines)
    _reasons(stack, sheet.lines)
    _suspicions(stack, sheet.settlement.suspicions)
    cuts(stack, sheet.cuts)
    _basis(stack, sheet, numbers)
    _remedies(stack)
    _signatures(stack)


# --- who, where, when ------------------------------------------------------------------------


def _title(stack: Stack, sheet: Sheet) -> None:
    centre, right = stack.page.width / 2, stack.page.width - MARGIN
    stack.page.add(
        Box(0, 0, stack.page.width, 6, Tone.ACCENT),
        Label(centre, 52, TITLE[0], 19, Tone.INK, Align.CENTRE),
        Label(centre, 67, TITLE[1], 8.5, Tone.QUIET, Align.CENTRE),
        Label(MARGIN, 86, sheet.agency_name, 8.5, Tone.QUIET),
        Label(right, 86, f"No. {sheet.settlement.settlement_id}", 8.5, Tone.QUIET, Align.RIGHT),
        Rule(MARGIN, 92, right, 92, Tone.ACCENT, 1.2),
    )
    stack.y = 96
    for words in _warnings(sheet):
        stack.page.add(
            Box(MARGIN, stack.y, stack.inner, 18, Tone.ALARM),
            Label(centre, stack.y + 12.5, words, 9, Tone.WHITE, Align.CENTRE),
        )
        stack.y += 21


def _warnings(sheet: Sheet) -> list[str]:
    """What makes this sheet other than a settlement in force."""
    one, told = sheet.settlement, []
    if one.reverses:
        told.append(f"冲正单，冲销结算 Reversal of {one.reverses}")
    if one.adjusts:
        told.append(f"补差单，金额为差额，原结算 Delta, signed differences to {one.adjusts}")
    if sheet.reversed_by:
        told.append(f"本结算已被冲正，不再有效 Reversed, no longer in force: {sheet.reversed_by}")
    if not one.settlement_id:
        told.append("预结算，未办理 Preview, nothing was settled")
    return told


def _facts(stack: Stack, sheet: Sheet) -> None:
    one = sheet.settlement
    hospital = f"{sheet.hospital_name}（{LEVELS[sheet.hospital_level]}）"
    rows = [
        (
            Entry("结算单号", "Settlement", one.settlement_id or "—"),
            Entry("票据号", "Bill number", one.bill_no or "—"),
            Entry("结算时间", "Settled at", _minute(one.settled_at)),
        ),
        (
            Entry("医疗机构", "Hospital", hospital, 2),
            Entry("结算类型", "Kind of treatment", TREATMENTS[sheet.treatment]),
        ),
        (
            Entry("姓名", "Name", sheet.person_name),
            Entry("证件号码", "Identity number", sheet.id_no_masked),
            Entry("社会保障卡", "Social security card", sheet.card_no_masked or "—"),
        ),
        (
            Entry("用人单位", "Employer", sheet.employer_name, 2),
            Entry("经办机构", "Agency", sheet.agency_name),
        ),
        (
            Entry("案件号", "Case", one.case_no or "—"),
            Entry("认定工伤决定书", "Decision", one.decision_no or "—"),
            Entry("受伤日期", "Injured on", str(sheet.injured_on or "—")),
        ),
        *_stay(sheet),
        (Entry("诊断", "Diagnoses", _diagnoses(sheet), 3),),
    ]
    if sheet.liable_employer_name:
        named = f"{sheet.liable_employer_name}（{one.liable_employer}）"
        rows.append((Entry("承担工伤保险责任的用人单位", "Liable employer", named, 3),))
    if one.reinstates:
        rows.append((Entry("恢复结算", "Reinstates", one.reinstates, 3),))
    grid(stack, rows)


def _stay(sheet: Sheet) -> list[tuple[Entry, ...]]:
    one = sheet.settlement
    return [
        (
            Entry("登记号", "Registration", one.admission_id),
            Entry("住院号", "Visit", one.visit_no),
            Entry("住院天数", "Days in hospital", _days(sheet)),
        ),
        (
            Entry("入院时间", "Admitted", _minute(one.admitted_at)),
            Entry("出院时间", "Discharged", _minute(one.discharged_at)),
            Entry("受伤部位", "Injured parts", sheet.injured_parts or "—"),
        ),
    ]


def _minute(moment: datetime | None) -> str:
    return "—" if moment is None else moment.astimezone(BUSINESS_ZONE).strftime(_MINUTE)


def _days(sheet: Sheet) -> str:
    """Nights between the two business days, at least one."""
    one = sheet.settlement
    if one.admitted_at is None or one.discharged_at is None:
        return "—"
    first, last = (
        moment.astimezone(BUSINESS_ZONE).date() for moment in (one.admitted_at, one.discharged_at)
    )
    return str(max((last - first).days, 1))


def _diagnoses(sheet: Sheet) -> str:
    return "；".join(
        f"{one.code} {one.name}" + ("（主要诊断 main）" if one.main else "")
        for one in sheet.diagnoses
    )


# --- how much --------------------------------------------------------------------------------


def _totals(stack: Stack, sheet: Sheet) -> None:
    heading(stack, "费用总额与承担", "Total and who bears it, yuan")
    split = sheet.settlement.split
    shares = [(*words, split.borne_by(payer)) for payer, words in PAYERS.items()]
    cells = [("费用总额", "Total", split.total_fen), *shares]
    width, gap = stack.inner / len(cells), 4
    for number, (zh, en, amount_fen) in enumerate(cells):
        x = MARGIN + width * number
        strong = Tone.ACCENT if number < 2 else Tone.PALE
        size = _fitting(stack, yuan(amount_fen), width - gap - 12)
        ink, quiet = (Tone.WHITE, Tone.WHITE) if number < 2 else (Tone.INK, Tone.QUIET)
        stack.page.add(
            Box(x, stack.y, width - gap, 38, strong),
            Label(x + 6, stack.y + 12, f"{zh} {en}", SMALL, quiet),
            Label(x + width - gap - 6, stack.y + 30, yuan(amount_fen), size, ink, _RIGHT, True),
        )
    stack.y += 42


def _fitting(stack: Stack, text: str, room: float) -> float:
    """The size at which the text fills the room, at most that of an ordinary amount."""
    return min(_LARGE, room / stack.face.width(text, 1, bold=True))


def _meal(stack: Stack, sheet: Sheet) -> None:
    meal = sheet.settlement.meal
    if meal is None:
        return
    counted = f"{meal.days} 天 days × {yuan(meal.per_day_fen)} 元 = {yuan(meal.amount_fen)}"
    if abs(meal.amount_fen) != meal.days * meal.per_day_fen:
        counted = f"{meal.days} 天 days，逐日标准 daily rates：{yuan(meal.amount_fen)}"
    channel = CHANNELS.get(meal.channel, meal.channel)
    grid(
        stack,
        [
            (
                Entry("住院伙食补助费", "Meal allowance", counted, 2),
                Entry("伙食补助发放", "Allowance paid out", channel),
            )
        ],
    )


def _payout(stack: Stack, sheet: Sheet) -> None:
    """Whom the fund pays, and what a third party's payment took off its share or the employer's."""
    payout, employers_fen = sheet.settlement.payout, _off_employer(sheet)
    if payout is None or not (payout.shares or payout.taken_off_fen or employers_fen):
        return
    heading(stack, "基金支付对象", "Whom the fund pays, yuan")
    columns = (
        Column("收款方", "Payee", stack.inner - 270),
        Column("医疗费", "Medical fees", 90, _RIGHT),
        Column("伙食补助", "Meals", 90, _RIGHT),
        Column("合计", "Total", 90, _RIGHT),
    )
    table(stack, columns, [_share_row(one) for one in payout.shares])
    off = _left_employer(employers_fen) if employers_fen else _taken_off(payout)
    for told in (*off, *_recoverable(payout.recoverable_fen)):
        paragraph(stack, told, 7)


def _taken_off(payout: Payout) -> Iterator[str]:
    """What a third party's payment takes off the whole bill: lines do not know of it, so that
    those of a delta add up with it alone."""
    paid, off = yuan(payout.third_party_paid_fen), yuan(payout.taken_off_fen)
    if payout.third_party_paid_fen:
        yield (
            f"第三人已付可支付医疗费 {paid} 元，其中 {off} 元从基金支付减除，列入其他渠道 / "
            f"a third party paid {paid} of eligible medical fees; {off} left the fund's share"
        )
    elif payout.taken_off_fen:
        yield (
            f"第三人已付从基金支付减除的差额 {off} 元，列入其他渠道 / the difference of what left "
            f"the fund's share because a third party had paid it: {off}"
        )


def _off_employer(sheet: Sheet) -> int:
    """What a third party's payment took off the employer's share of the whole: no line knows it."""
    lines = total([one.verdict.split for one in sheet.lines])
    return lines.employer_fen - sheet.settlement.split.employer_fen


def _left_employer(off_fen: int) -> Iterator[str]:
    """Where the fund's whole share moved to the employer: only the difference is asked of it."""
    yield (
        f"第三人已付的，从用人单位应承担的减除 {yuan(off_fen)} 元，列入其他渠道 / what a third "
        f"party had paid left the employer's share: {yuan(off_fen)}"
    )


def _recoverable(fen: int) -> Iterator[str]:
    """What the fund may recover of the third party; of a delta or a reversal, how much less."""
    if fen > 0:
        yield (
            f"基金先行支付 {yuan(fen)} 元，可依法向第三人追偿 / the fund advanced {yuan(fen)}, "
            "which it may recover from the third party"
        )
    if fen < 0:
        yield (
            f"可向第三人追偿的数额减少 {yuan(-fen)} 元 / less recoverable from the third party "
            f"by {yuan(-fen)}"
        )


def _share_row(one: PayeeShare) -> tuple[Cell, ...]:
    zh, en = PAYEES[one.payee]
    whole = one.medical_fen + one.meal_fen
    amounts = (amount(fen) for fen in (one.medical_fen, one.meal_fen, whole))
    return (Piece(zh), Piece(en, SMALL, Tone.QUIET)), *amounts


def _categories(stack: Stack, lines: Sequence[SheetLine]) -> None:
    heading(stack, "按费用类别", "By category")
    columns = (Column("费用类别", "Category", stack.inner - _SUM_WIDTH), *_SUMS)
    named = [(line.line.category or NO_CATEGORY, line) for line in lines]
    table(stack, columns, _sums(named, lambda name: (Piece(name),)))


def _reasons(stack: Stack, lines: Sequence[SheetLine]) -> None:
    heading(stack, "按结算原因", "By reason")
    columns = (Column("结算原因", "Reason", stack.inner - _SUM_WIDTH), *_SUMS)
    named = [(line.verdict.reasons, line) for line in lines]
    table(stack, columns, _sums(named, _reason_cell))


def _reason_cell(codes: tuple[str, ...]) -> Cell:
    if not codes:
        return Piece(WITHIN[0]), Piece(WITHIN[1], SMALL, Tone.QUIET)
    return tuple(
        piece
        for code in codes
        for piece in (Piece(REASONS[code].zh), Piece(REASONS[code].en, SMALL, Tone.QUIET))
    )


def _sums(
    named: Iterable[tuple[_Key, SheetLine]], cell: Callable[[_Key], Cell]
) -> list[tuple[Cell, ...]]:
    """A row of sums for each name, in the order of first appearance, and one of all."""
    groups: dict[_Key, list[Split]] = {}
    for name, line in named:
        groups.setdefault(name, []).append(line.verdict.split)
    every = [split for splits in groups.values() for split in splits]
    rows = [(cell(name), *_sum(splits)) for name, splits in groups.items()]
    return [*rows, ((Piece("合计 Total", bold=True),), *_sum(every, bold=True))]


def _sum(splits: list[Split], *, bold: bool = False) -> tuple[Cell, ...]:
    whole = total(splits)
    amounts = (whole.total_fen, *(whole.borne_by(payer) for payer in Payer))
    count = (Piece(str(len(splits)), bold=bold),)
    return count, *(amount(one, bold=bold) for one in amounts)


# --- by what right ---------------------------------------------------------------------------


def _suspicions(stack: Stack, found: Sequence[Suspicion]) -> None:
    """What the audit found, for a person to look at; nothing when it found nothing."""
    if not found:
        return
    heading(stack, "审核疑点（待核实，不影响金额）", "Suspicions of the audit, moving no money")
    columns = (
        Column("规则", "Rule", 34),
        Column("疑点", "Suspicion", 190),
        Column("证据", "Evidence", stack.inner - 384),
        Column("明细", "Lines", 160),
    )
    table(stack, columns, [_suspicion_row(one) for one in found])


def _suspicion_row(one: Suspicion) -> tuple[Cell, ...]:
    rule = AUDIT_RULES[one.code]
    shown = " ".join(one.line_ids[:_LINES_SHOWN])
    more = "" if len(one.line_ids) <= _LINES_SHOWN else f" … {len(one.line_ids)}"
    return (
        (Piece(one.code),),
        (Piece(rule.zh), Piece(f"{rule.en} {rule.basis}", SMALL, Tone.QUIET)),
        (Piece(one.evidence),),
        (Piece((shown + more) or "—"),),
    )


def _basis(stack: Stack, sheet: Sheet, numbers: dict[Citation, int]) -> None:
    heading(stack, "依据与版本", "Sources and editions")
    columns = (
        Column("编号", "No.", 30),
        Column("条款", "Article or clause", 210),
        Column("政策项", "Policy key", 130),
        Column("值", "Value", stack.inner - 440),
        Column("起始", "Since", 70),
    )
    rows = [
        (
            (Piece(f"[{number}]"),),
            (Piece(one.law + ("（本网关的理解 our reading）" if one.our_reading else "")),),
            (Piece(one.key, SMALL, Tone.QUIET),),
            (Piece(one.value),),
            (Piece(one.since),),
        )
        for one, number in numbers.items()
    ]
    table(stack, columns, rows)
    one = sheet.settlement
    told = [f"规则版本 rules {one.rules_version}", f"政策版本 policy {one.policy_digest}"]
    told += [f"目录版本 catalogue {digest}" for digest in one.edition_digests]
    told += [f"{zh} / {en}" for zh, en in (ROUNDING, *_readings(one))]
    for text in told:
        paragraph(stack, text, SMALL)
    paragraph(
        stack, f"签发 signed by {sheet.signer}  报文 message {sheet.message_id or '—'}", SMALL
    )


def _readings(one: Settlement) -> tuple[tuple[str, str], ...]:
    left = None if one.discharged_at is None else business_day(one.discharged_at)
    return used_in_bill(one.lines, one.meal, one.business_day, left)


def _remedies(stack: Stack) -> None:
    heading(stack, "权利救济与说明", "Remedies and notes")
    for text in (*REMEDIES, *NOTES):
        paragraph(stack, text, 7)


def _signatures(stack: Stack) -> None:
    stack.need(54)
    stack.y += 30
    width = stack.inner / len(SIGNATURES)
    for number, (zh, en) in enumerate(SIGNATURES):
        x = MARGIN + width * number
        stack.page.add(
            Rule(x + 4, stack.y, x + width - 16, stack.y, Tone.FAINT),
            Label(x + 4, stack.y + 11, f"{zh}（签名、日期）", 7.5, Tone.QUIET),
            Label(x + 4, stack.y + 20, f"{en} (signature, date)", SMALL, Tone.FAINT),
        )
    stack.y += 22
