"""A settlement says each reason and each citation once, and comes back as it was."""

from dataclasses import replace

import pytest
from lxml import etree

from adapters.hospital_xml import HospitalXml
from adapters.shape.names import SETTLEMENT
from adapters.shape.write import write
from gateway.domain.admission import BillState
from gateway.domain.bill import Citation, LineVerdict, MealVerdict
from gateway.domain.results import Reversed, Settlement
from gateway.domain.split import Split
from gateway.ports import Unreadable

from .envelopes import canonical, envelope, heading

CODEC = HospitalXml()
FUND = Citation("law/fund_pays", "fund", "2011-01-01", "《工伤保险条例》第三十条第三款")
ITEM = Citation("catalogue/item/Z0001", "甲", "2025-01-01", "目录", our_reading=True)
MEAL_RATE = Citation("meal/rate", "50.00", "2025-07-01", "《办法》第三条")
LINES = (
    LineVerdict("L1", 2500, Split(2000, 0, 500), ("REGIONAL_RATIO",), (ITEM, FUND)),
    LineVerdict("L2", 1000, Split(0, 0, 0, 1000), ("OVER_QTY", "LATE_APPLICATION"), (FUND, FUND)),
    LineVerdict("L3", 300, Split(300), (), ()),
)
BILL = Settlement(
    admission_id="A1",
    bill_state=BillState.SETTLED,
    split=Split(2300, 0, 500, 1000),
    meal=MealVerdict(2, 5000, 10000, "随结算支付", (MEAL_RATE, FUND)),
    lines=LINES,
)
BODY = write(SETTLEMENT, BILL)


def read(body: str) -> Settlement:
    root = envelope("settlement.result", body)
    assert CODEC.reply_faults(root) == ()
    _, result = CODEC.reply(root[1][0], root[0])
    assert isinstance(result, Settlement)
    return result


def refused(body: str) -> list[tuple[str, str]]:
    """Places and expectations of what a reader of this body finds."""
    with pytest.raises(Unreadable) as caught:
        read(body)
    assert {fault.code for fault in caught.value.findings} == {"FIELD_MALFORMED"}
    return [
        (fault.field.removeprefix("Message/Body/Settlement/"), fault.expected)
        for fault in caught.value.findings
    ]


def test_the_same_tuples_come_back() -> None:
    assert read(BODY) == BILL


def test_reasons_are_written_once_with_their_texts_sorted_by_code() -> None:
    table = etree.fromstring(BODY).find("Reasons")
    assert [row.findtext("Code") for row in table] == [
        "LATE_APPLICATION",
        "OVER_QTY",
        "REGIONAL_RATIO",
    ]
    assert table[1].findtext("TextZh") == "超过规定数量或频次的部分"
    assert table[1].findtext("TextEn") == "Above the allowed quantity or frequency"
    assert BODY.count("超过规定数量或频次的部分") == 1


def test_citations_are_numbered_in_order_of_first_use_the_meals_first() -> None:
    table = etree.fromstring(BODY).find("Citations")
    assert [(row.findtext("No"), row.findtext("Key")) for row in table] == [
        ("1", "meal/rate"),
        ("2", "law/fund_pays"),
        ("3", "catalogue/item/Z0001"),
    ]
    assert [row.findtext("OurReading") for row in table] == [None, None, "true"]


def test_a_line_holds_its_amounts_reason_codes_and_citation_numbers() -> None:
    assert (
        "<Line><LineId>L2</LineId><Amount>10.00</Amount><Fund>0.00</Fund><Employer>0.00</Employer>"
        "<Individual>0.00</Individual><Hospital>10.00</Hospital><Other>0.00</Other>"
        "<Reason>OVER_QTY</Reason><Reason>LATE_APPLICATION</Reason><Cites>2 2</Cites></Line>"
    ) in BODY
    assert "<Other>0.00</Other></Line></Settlement>" in BODY
    assert "<Channel>随结算支付</Channel><Cites>1 2</Cites></Meal>" in BODY


def test_a_bill_without_reasons_and_citations_has_no_tables() -> None:
    bare = Settlement(admission_id="A1", bill_state=BillState.OPEN, lines=LINES[2:])
    written = write(SETTLEMENT, bare)
    assert "Reason" not in written
    assert "Cit" not in written
    assert read(written) == bare


def test_the_settlement_inside_a_reversal_has_its_tables_too() -> None:
    undone = Reversed(target_message_id="m1", effect="UNDONE", by="m2", settlement=BILL)
    content = CODEC.message(heading("transaction.reverse"), undone, None)
    root = etree.fromstring(content)
    assert content == canonical(content)
    assert CODEC.reply(root[1][0], root[0]) == (None, undone)


def test_every_number_without_a_row_is_found() -> None:
    body = BODY.replace("<Cites>3 2</Cites>", "<Cites>4 2</Cites>")
    body = body.replace("<Cites>1 2</Cites>", "<Cites>1 9999</Cites>")
    row = "在表中有一行 / a row of the table"
    assert refused(body) == [("Meal/Cites", row), ("Line[1]/Cites", row)]


def test_a_reason_without_a_row_is_found() -> None:
    body = BODY.replace("<Reason>LATE_APPLICATION</Reason>", "<Reason>NO_ORDER</Reason>")
    assert refused(body) == [("Line[2]/Reason[2]", "在表中有一行 / a row of the table")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Amount>25.00</Amount>", "<Amount>25.01</Amount>"),
        ("<Fund>20.00</Fund><Employer>0.00", "<Fund>20.00</Fund><Employer>-0.01"),
    ],
)
def test_an_amount_that_is_not_the_sum_of_the_five_is_found(old, new) -> None:
    body = BODY.replace(old, new)
    assert body != BODY
    assert refused(body) == [("Line[1]/Amount", "五方之和 / the sum of the five payers")]


def test_citations_numbered_out_of_order_are_found() -> None:
    body = BODY.replace("<No>1</No>", "<No>5</No>").replace("<No>3</No>", "<No>2</No>")
    assert [place for place, _ in refused(body)] == [
        "Citations/Citation[1]/No",
        "Citations/Citation[3]/No",
    ]


@pytest.mark.parametrize(
    "cites", ["", " 1", "1 ", "1  2", "0", "01", "1,2", "１", "10000", " ".join(["1"] * 61)]
)
def test_the_schema_takes_only_plain_numbers_and_at_most_60(cites) -> None:
    assert CODEC.reply_faults(envelope("settlement.result", BODY)) == ()
    body = BODY.replace("<Cites>3 2</Cites>", f"<Cites>{cites}</Cites>")
    (fault,) = CODEC.reply_faults(envelope("settlement.result", body))
    assert fault.field == "Message/Body/Settlement/Line[1]/Cites"


def test_more_than_60_citations_of_a_line_are_not_written() -> None:
    line = LineVerdict("L1", 0, Split(), (), (FUND,) * 60)
    bill = Settlement(admission_id="A1", bill_state=BillState.OPEN, lines=(line,))
    assert read(write(SETTLEMENT, bill)) == bill
    more = LineVerdict("L1", 0, Split(), (), (FUND,) * 61)
    with pytest.raises(ValueError, match="61"):
        write(SETTLEMENT, Settlement(admission_id="A1", bill_state=BillState.OPEN, lines=(more,)))


def test_the_grounds_of_the_whole_bill_come_back_and_name_only_rows_of_the_table() -> None:
    bill = replace(BILL, grounds=(ITEM, MEAL_RATE), liable_employer="E2")
    body = write(SETTLEMENT, bill)
    assert read(body) == bill
    assert "<LiableEmployer>E2</LiableEmployer><Grounds>3 1</Grounds>" in body
    row = "在表中有一行 / a row of the table"
    assert refused(body.replace("<Grounds>3 1<", "<Grounds>3 9<")) == [("Grounds", row)]
