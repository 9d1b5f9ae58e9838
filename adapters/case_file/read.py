"""Case file → calculation cases, all or nothing: every fault is listed with case and line."""

from collections.abc import Callable
from typing import Final, TypeVar

from adapters.case_file import names
from adapters.case_file.blocks import (
    read_expected_paid,
    read_expected_trip,
    read_paid,
    read_trip,
)
from adapters.case_file.faults import BadCases, Fault
from adapters.case_file.tables import (
    AMOUNT,
    CODE,
    COUNT,
    DAY,
    LIMIT,
    LIST,
    PRICE,
    QUANTITY,
    RATE,
    RATIO,
    TEXT,
    YES_NO,
    Table,
    parsed,
    table,
    word,
)
from gateway.domain.calculation import (
    Case,
    CaseLine,
    CaseStay,
    Expected,
    ExpectedLine,
    ExpectedStay,
)
from gateway.domain.money import ONE
from gateway.domain.split import Payer, Split

T = TypeVar("T")

_NO_CONSENT: Final = word(names.EXCESS_PAYERS)
_SIGNED: Final = word(names.CONSENTS)
_RELATION: Final = word({names.INJURY: False, names.UNRELATED: True})
_WINDOW: Final = word({names.LATE_APPLICATION: True})


def read_cases(raw: bytes) -> tuple[Case, ...]:
    """The cases of a JSON array in UTF-8, in its order.

    Raises BadCases with every fault at once: what is no JSON, unknown and repeated keys,
    missing keys, numbers where strings are required, values out of their range.
    """
    found, faults = parsed(raw), list[Fault]()
    if not isinstance(found, list):
        raise BadCases([Fault("", 0, "", "", "应为案例的数组", "expected an array of cases")])
    cases = [_case(faults, f"#{place}", one) for place, one in enumerate(found, start=1)]
    if faults:
        raise BadCases(faults)
    return tuple(case for case in cases if case is not None)


def _case(faults: list[Fault], place: str, raw: object) -> Case | None:
    whole = table(faults, place, 0, "", raw)
    if whole is None:
        return None
    id = whole.take(names.ID, TEXT)
    whole.case = id or place
    title = whole.take(names.TITLE, TEXT)
    params = _params(whole)
    case = Case(
        id=id or place,
        title=title or "",
        no_consent_payer=params[0],
        employer_not_notified=params[1],
        ratio_payer=params[2],
        lines=_each(whole, names.LINES, whole.take(names.LINES, LIST), _line),
        stay=_stay(whole),
        paid=read_paid(whole),
        travel=read_trip(whole),
        expect=_expect(whole),
    )
    whole.close()
    return case


def _params(whole: Table) -> tuple[Payer, bool, Payer]:
    """Who bears unsigned excess, whether the employer kept silent, who bears a ratio's rest."""
    if not whole.has(names.PARAMS):
        whole.fault(names.PARAMS, "", "缺少此项", "missing")
    params = whole.inner(names.PARAMS)
    if params is None:
        return Payer.HOSPITAL, False, Payer.INDIVIDUAL
    no_consent = params.take(names.NO_CONSENT_PAYER, _NO_CONSENT)
    silent = params.holds(names.EMPLOYER_NOT_NOTIFIED, YES_NO)
    rest = params.maybe(names.RATIO_PAYER, _SIGNED)
    params.close()
    return no_consent or Payer.HOSPITAL, silent, rest or Payer.INDIVIDUAL


def _each(
    whole: Table, key: str, rows: list[object] | None, read: Callable[[Table, int], T]
) -> tuple[T, ...]:
    """Every object of an array, read with its number counted from 1."""
    own_lines = key == names.LINES
    found = []
    for no, raw in enumerate(rows or (), start=1):
        path = "" if own_lines else f"{key}[{no}]"
        one = table(whole.faults, whole.case, no if own_lines else 0, path, raw)
        if one is not None:
            found.append(read(one, no))
            one.close()
    return tuple(found)


def _line(line: Table, _no: int) -> CaseLine:
    _check_charge(line)
    qty, limit = line.maybe(names.QTY, QUANTITY), line.maybe(names.QTY_LIMIT, LIMIT)
    if qty is not None and qty < 0 and limit is not None:
        line.fault(names.QTY_LIMIT, "", "退费行不设数量限额", "a refund line carries no limit")
    share = line.maybe(names.RATIO, RATIO)
    in_catalogue = line.maybe(names.IN_CAT, YES_NO)
    charged, amount = line.maybe(names.CHARGED, AMOUNT), line.maybe(names.AMOUNT, AMOUNT)
    return CaseLine(
        name=line.take(names.NAME, TEXT) or "",
        price=line.maybe(names.PRICE, PRICE),
        quantity=qty or 0,
        amount_fen=amount if charged is None else charged,
        in_catalogue=in_catalogue is not False,
        ceiling=line.maybe(names.CEILING, PRICE),
        quantity_limit=limit,
        ratio=ONE if share is None else share,
        consent=line.maybe(names.PAYER, _SIGNED),
        unrelated=line.holds(names.RELATION, _RELATION),
        violation=line.maybe(names.VIOLATION, CODE) or "",
        late=line.holds(names.WINDOW, _WINDOW),
        emergency_approved=line.holds(names.EMERGENCY_APPROVED, YES_NO),
        refused_discharge=line.holds(names.REFUSE_DISCHARGE, YES_NO),
    )


def _check_charge(line: Table) -> None:
    """Price and quantity together, with what was charged where that is not their product, or an
    amount alone, which then has no ceiling or limit."""
    if not line.has(names.AMOUNT):
        for key in (names.PRICE, names.QTY):
            if not line.has(key):
                line.fault(key, "", "缺少此项（或只填 amount）", "missing (or give amount alone)")
        return
    for key in (names.PRICE, names.QTY, names.CHARGED, names.CEILING, names.QTY_LIMIT):
        if line.has(key):
            line.fault(key, "", "已填 amount 时不填此项", "not allowed beside amount")


def _stay(whole: Table) -> CaseStay | None:
    stay = whole.inner(names.STAY)
    if stay is None:
        return None
    admitted, discharged = stay.take(names.ADM, DAY), stay.take(names.DIS, DAY)
    rate = stay.take(names.MEAL_RATE, RATE)
    stay.close()
    if admitted is None or discharged is None:
        return None
    if discharged < admitted:
        stay.fault(names.DIS, str(discharged), "出院早于入院", "discharged before admission")
    return None if rate is None else CaseStay(admitted, discharged, rate)


def _expect(whole: Table) -> Expected | None:
    expect = whole.inner(names.EXPECT)
    if expect is None:
        return None
    total = expect.maybe(names.TOTAL, AMOUNT)
    payers = {payer: expect.maybe(key, AMOUNT) for key, payer in names.PAYERS.items()}
    rows = expect.maybe(names.LINES, LIST)
    lines = _each(expect, f"{names.EXPECT}.{names.LINES}", rows, _expected_line)
    _check_numbers(expect, lines)
    stay = _expected_stay(expect)
    paid, trip = read_expected_paid(expect), read_expected_trip(expect)
    expect.close()
    given = {payer: amount for payer, amount in payers.items() if amount is not None}
    return Expected(total, given, None if rows is None else lines, stay, paid, trip)


def _expected_line(line: Table, place: int) -> ExpectedLine:
    """A line without a number is the one at its place."""
    no = line.maybe(names.NO, COUNT)
    amount = line.maybe(names.AMOUNT, AMOUNT)
    parts = [line.maybe(key, AMOUNT) or 0 for key in names.PAYERS]
    codes = line.maybe(names.REASONS, LIST)
    reasons = None if codes is None else tuple(sorted(_reasons(line, codes)))
    return ExpectedLine(place if no is None else no, Split(*parts), amount, reasons)


def _reasons(line: Table, codes: list[object]) -> list[str]:
    found = []
    for code in codes:
        try:
            found.append(CODE.read(code))
        except ValueError:
            line.fault(names.REASONS, "", CODE.zh, CODE.en)
    return found


def _check_numbers(expect: Table, lines: tuple[ExpectedLine, ...]) -> None:
    numbers = [line.no for line in lines]
    for no in sorted({no for no in numbers if numbers.count(no) > 1 or not no}):
        expect.fault(names.LINES, str(no), "行号为零或重复", "line number zero or given twice")


def _expected_stay(expect: Table) -> ExpectedStay | None:
    stay = expect.inner(names.STAY)
    if stay is None:
        return None
    found = ExpectedStay(stay.maybe(names.MEAL_DAYS, COUNT), stay.maybe(names.MEAL, AMOUNT))
    stay.close()
    return found
