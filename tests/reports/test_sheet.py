"""结算单 What a worker, an employer and a clerk must find on the sheet."""

import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import NO_PAYOUT, Citation, Payee, PayeeShare, Payout, Suspicion
from gateway.domain.money import price_text, quantity_text, yuan
from gateway.domain.reasons import REASONS
from gateway.domain.split import Payer
from gateway.policy.anchors import GIVEN_BACK_FIRST
from gateway.reports.sheet import Sheet, SheetLine, settlement_sheet
from tests.reports.sheets import EMPLOYER, WORKER, a_sheet, refund_of, some_lines
from tests.reports.test_cuts import upheld


def read(content: bytes) -> str:
    """The text of all pages without any blank, for a cell may wrap anywhere."""
    pages = PdfReader(io.BytesIO(content)).pages
    return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))


def text_of(sheet: Sheet) -> str:
    return read(settlement_sheet(sheet))


@pytest.fixture(scope="module")
def bill() -> Sheet:
    lines = some_lines(20)
    return a_sheet(*lines, refund_of(lines[0], "4"))


@pytest.fixture(scope="module")
def text(bill: Sheet) -> str:
    return text_of(bill)


def test_every_name_is_on_the_sheet(bill: Sheet, text: str):
    named = [one.line.name for one in bill.lines] + [one.name for one in bill.diagnoses]
    named += [WORKER, EMPLOYER, bill.hospital_name, bill.agency_name, bill.injured_parts]
    assert [name for name in named if name not in text] == []


def test_every_amount_of_a_line_stands_in_its_row(bill: Sheet, text: str):
    for one in bill.lines:
        line, verdict = one.line, one.verdict
        shares = (yuan(verdict.split.borne_by(payer)) for payer in Payer)
        row = [price_text(line.price), quantity_text(line.quantity), yuan(verdict.amount_fen)]
        assert "".join([*row, *shares]) in text


def test_the_totals_and_the_meal_allowance_are_on_the_sheet(bill: Sheet, text: str):
    settlement = bill.settlement
    assert settlement.meal is not None
    amounts = [settlement.total_fen, *settlement.split, settlement.meal.amount_fen]
    assert [yuan(one) for one in amounts if yuan(one) not in text] == []
    assert "14天days×15.00元=210.00" in text


def test_reasons_and_the_articles_behind_them_are_told(bill: Sheet, text: str):
    codes = {code for one in bill.lines for code in one.verdict.reasons}
    assert len(codes) > 2
    assert [code for code in codes if REASONS[code].zh not in text] == []
    laws = {one.law for line in bill.lines for one in line.verdict.citations}
    assert [law for law in laws if law not in text] == []
    assert "限价40.00" in text


def test_a_line_that_came_under_the_hospitals_own_code_shows_both():
    (line,) = some_lines(1)
    told = text_of(a_sheet(line._replace(hospital_code="HY-0001")))
    assert f"{line.code}·院内HY-0001" in told
    assert "院内" not in text_of(a_sheet(line))


def test_suspicions_of_the_audit_are_told_with_their_evidence_and_lines(bill: Sheet):
    lines = tuple(f"L{number}" for number in range(9))
    found = (Suspicion("A01", lines, "2026-03-05 × 9"), Suspicion("A24", (), "BMI0001"))
    told = text_of(replace(bill, settlement=replace(bill.settlement, suspicions=found)))
    assert "审核疑点" in told
    for code in ("A01", "A24"):
        assert AUDIT_RULES[code].zh in told
        assert AUDIT_RULES[code].basis in told
    assert "2026-03-05×9" in told
    assert "L7…9" in told
    assert "L8" not in told[told.index("审核疑点") : told.index("依据与版本")]


def test_cuts_are_told_line_by_line_with_basis_last_day_and_outcome(bill: Sheet):
    told = text_of(replace(bill, cuts=(upheld(),)))
    for part in ("扣减（拒付）", "A16", "虚构协议第一条", "第四十三条", "2026-03-09", "维持"):
        assert part in told
    assert "扣减（拒付）" not in text_of(bill)


def test_a_bill_without_suspicions_has_no_list_of_them(bill: Sheet):
    plain = replace(bill, settlement=replace(bill.settlement, suspicions=()))
    assert "审核疑点" not in text_of(plain)


def test_remedies_and_editions_are_told(bill: Sheet, text: str):
    assert "《工伤保险条例》第五十五条" in text
    assert "《中华人民共和国社会保险法》第八十三条" in text
    digests = (bill.settlement.policy_digest, *bill.settlement.edition_digests)
    assert [digest for digest in digests if digest not in text] == []


def test_categories_and_reasons_each_add_up_to_the_bill(bill: Sheet, text: str):
    sums = "".join(yuan(bill.settlement.split.borne_by(payer)) for payer in Payer)
    assert text.count(f"合计Total21{yuan(bill.settlement.total_fen)}{sums}") == 2


def test_identity_and_card_numbers_stand_masked(bill: Sheet, text: str):
    assert bill.id_no_masked in text
    assert bill.card_no_masked in text


def test_a_character_outside_the_font_shows_as_its_number_and_not_as_a_blank():
    assert "王〓(U+36C3)" in text_of(a_sheet(*some_lines(1), person_name="王㛃"))


def test_the_same_sheet_has_the_same_bytes(bill: Sheet):
    assert settlement_sheet(bill) == settlement_sheet(bill)


def test_pages_are_numbered_and_the_header_repeats(text: str):
    sheet = a_sheet(*some_lines(60))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(settlement_sheet(sheet))).pages]
    assert len(pages) > 4
    for number, page in enumerate(pages, start=1):
        assert f"第 {number} 页 / 共 {len(pages)} 页" in page
    first = next(no for no, page in enumerate(pages) if "费用明细" in page)
    assert all("原因与依据" in page for page in pages[first:])


def test_a_reversal_says_so_and_is_negative(bill: Sheet):
    settlement = replace(
        bill.settlement, reverses="S0", split=bill.settlement.split.negated(), meal=None
    )
    lines = tuple(
        SheetLine(
            one.line,
            one.verdict._replace(
                amount_fen=-one.verdict.amount_fen, split=one.verdict.split.negated()
            ),
        )
        for one in bill.lines
    )
    text = text_of(replace(bill, settlement=settlement, lines=lines))
    assert "冲正单，冲销结算ReversalofS0" in text
    assert yuan(settlement.total_fen) in text
    assert settlement.total_fen < 0


def test_a_settlement_that_was_reversed_warns_of_it(bill: Sheet, text: str):
    warned = text_of(replace(bill, reversed_by="S9"))
    assert "Reversed,nolongerinforce:S9" in warned
    assert "nolongerinforce" not in text


def test_a_preview_is_never_taken_for_a_settlement(bill: Sheet):
    preview = replace(bill.settlement, settlement_id="", settled_at=None)
    assert "预结算，未办理" in text_of(replace(bill, settlement=preview))


def test_a_liable_employer_other_than_the_reported_one_is_named_with_its_ground(bill: Sheet):
    law = "《工伤保险条例》第四十三条第三款"
    ground = Citation("employer/liable_when_seconded", "ORIGINAL", "2011-01-01", law)
    one = replace(bill.settlement, liable_employer="E2", grounds=(ground,))
    told = text_of(replace(bill, settlement=one, liable_employer_name="虚构原单位"))
    assert "Liableemployer" in told
    assert "虚构原单位（E2）" in told
    assert law in told
    assert "Liableemployer" not in text_of(bill)


def test_what_is_not_known_shows_as_a_dash_and_never_as_none(bill: Sheet):
    bare = replace(
        bill.settlement, bill_no="", discharged_at=None, case_no="", decision_no="", meal=None
    )
    text = text_of(replace(bill, settlement=bare, injured_on=None, injured_parts=""))
    assert "—" in text
    assert "None" not in text


def test_daily_rates_are_not_shown_as_one_product(bill: Sheet):
    assert bill.settlement.meal is not None
    meal = replace(bill.settlement.meal, amount_fen=bill.settlement.meal.amount_fen - 100)
    text = text_of(replace(bill, settlement=replace(bill.settlement, meal=meal)))
    assert "14天days，逐日标准dailyrates：209.00" in text


def test_the_hour_is_that_of_the_region(text: str):
    assert "2026-03-1516:30" in text
    assert str(date(2026, 3, 1)) in text


CJK_FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)


def test_a_truetype_font_is_embedded_when_named(bill: Sheet):
    found = next((Path(path) for path in CJK_FONTS if Path(path).exists()), None)
    if found is None:
        pytest.skip("no TrueType CJK font: install Debian package fonts-wqy-zenhei")
    content = settlement_sheet(bill, found)
    assert WORKER in read(content)
    assert embedded(content)
    assert not embedded(settlement_sheet(bill))


def embedded(content: bytes) -> bool:
    """Whether any font of the first page carries its own glyphs."""
    resources = PdfReader(io.BytesIO(content)).pages[0]["/Resources"]
    assert isinstance(resources, DictionaryObject)
    fonts = resources["/Font"]
    assert isinstance(fonts, DictionaryObject)
    return any(
        "/FontFile2" in str(font.get_object().get("/FontDescriptor", "")) for font in fonts.values()
    )


def test_three_thousand_lines_stand_on_the_sheet_each_in_its_row():
    sheet = a_sheet(*some_lines(3000))
    pages = PdfReader(io.BytesIO(settlement_sheet(sheet))).pages
    assert len(pages) > 100
    last = re.sub(r"\s", "", pages[-1].extract_text())
    assert f"3000{sheet.lines[-1].line.service_day}" in last


# --- whom the fund pays -----------------------------------------------------------------------


def test_every_payee_stands_with_its_medical_fees_and_meals(bill: Sheet):
    shares = (
        PayeeShare(Payee.HOSPITAL, 100, 0),
        PayeeShare(Payee.BASIC_INSURANCE, 1_200_000, 0),
        PayeeShare(Payee.EMPLOYER, 300, 4_000),
        PayeeShare(Payee.INDIVIDUAL, 650_000, 17_000),
    )
    payout = Payout(shares, 500_000, 400_000, 1_850_400, (GIVEN_BACK_FIRST,))
    text = text_of(replace(bill, settlement=replace(bill.settlement, payout=payout)))
    for told in (
        "基本医疗保险基金（退还）",
        "12000.00",
        "用人单位（已垫付）",
        "43.00",
        "6670.00",
        "第三人已付可支付医疗费5000.00元，其中4000.00元从基金支付减除",
        "基金先行支付18504.00元，可依法向第三人追偿",
        "第三十条第一款第（一）项",
    ):
        assert told in text, told


def test_a_delta_tells_what_a_third_party_paid_moves_of_the_whole_bill(bill: Sheet):
    payout = Payout((PayeeShare(Payee.HOSPITAL, -3_000, 0),), 0, -15_000, -3_000)
    text = text_of(replace(bill, settlement=replace(bill.settlement, payout=payout)))
    assert "第三人已付从基金支付减除的差额-150.00元，列入其他渠道" in text
    assert "可向第三人追偿的数额减少30.00元" in text
    assert "可依法向第三人追偿" not in text


def test_a_delta_tells_what_a_third_party_paid_of_the_employers_share(bill: Sheet):
    one = bill.settlement
    off = one.split.given(Payer.EMPLOYER, -500).given(Payer.FUND, 500)
    delta = replace(one, split=off, payout=Payout((PayeeShare(Payee.HOSPITAL, -700, 0),)))
    text = text_of(replace(bill, settlement=delta))
    assert "第三人已付的，从用人单位应承担的减除5.00元" in text


@pytest.mark.parametrize("payout", [None, NO_PAYOUT])
def test_a_sheet_without_payees_has_no_table_of_them(bill: Sheet, payout: Payout | None):
    text = text_of(replace(bill, settlement=replace(bill.settlement, payout=payout)))
    assert "基金支付对象" not in text
