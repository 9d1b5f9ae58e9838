"""医院接口字段 The hospital's wire names, each beside our word (gateway/domain).

Shared records (header, person, settlement, transactions, inbox) stand in
adapters/shape/names.py; closed lists in adapters/shape/vocabulary.py.
"""

from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from adapters.shape import vocabulary as word
from adapters.shape.approval_names import (
    APPLICATION_CHANGED,
    APPLICATION_ID,
    APPLICATIONS_FOUND,
    DEVICE_CODE,
    QUERY_APPROVALS,
    WANTED,
)
from adapters.shape.cuts import ANSWER_CUT, CUT, CUTS_FOUND, QUERY_CUTS
from adapters.shape.dialect import Dialect
from adapters.shape.fields import Field, many, may, need, shape
from adapters.shape.kinds import (
    AREA,
    BOOL,
    COUNT,
    DAY,
    DIGEST,
    FEN,
    ID_NO,
    INSTANT,
    NUMBER,
    PARTY,
    PRICE,
    QUANTITY,
    TEXT_32,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    TEXT_2000,
    WORD,
)
from adapters.shape.mapping_names import (
    ANSWERED,
    HOSPITAL_CODE,
    MAPPED_VALUES,
    MAPPINGS_CHANGED,
    MAPPINGS_FOUND,
    PAGE_OF_MAPPINGS,
    VALID_FROM,
)
from adapters.shape.names import (
    ACK_INBOX,
    ACKNOWLEDGED,
    ADMISSION_CHANGED,
    ADMISSION_ID,
    DAY_SPAN,
    DIAGNOSIS,
    IDENTITY,
    INBOX_ACKNOWLEDGED,
    INBOX_PULLED,
    MOST_BILL_LINES,
    MOST_LINES,
    MOST_PLACES,
    MOST_SPANS,
    PULL_INBOX,
    QUERY_TRANSACTION,
    REVERSE_TRANSACTION,
    REVERSED,
    SETTLEMENT,
    SPLIT,
    TRANSACTION_FOUND,
    changing,
    code_and_texts,
    notice,
    reading,
)
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow
from gateway.domain.commands import (
    ApplyApproval,
    CancelAdmission,
    CancelApproval,
    CancelDischarge,
    CancelSettlement,
    CommitSettlement,
    DownloadCatalogue,
    FirstJudgement,
    HospitalRow,
    MapCatalogue,
    ModifyAdmission,
    PreviewSettlement,
    QueryCase,
    QueryFees,
    QueryMappings,
    ReadPerson,
    ReconcileDetails,
    ReconcileTotals,
    RegisterAdmission,
    RegisterDischarge,
    UploadFees,
    VoidFees,
)
from gateway.domain.mapping import MappingClaim
from gateway.domain.results import (
    AdmissionRegistered,
    ApprovalSummary,
    CasesFound,
    CaseSummary,
    CatalogueMapped,
    CataloguePage,
    DetailsCompared,
    Difference,
    FeesFound,
    FeesUploaded,
    FeesVoided,
    LineAnswer,
    MappingAnswer,
    PersonRead,
    TotalsCompared,
)

_BUSINESS_ZONE: Final = ZoneInfo("Asia/Shanghai")

PERSON: Final = need("Person", "person", IDENTITY, "就医人员", "The person", personal=True)


# --- 人员与案件 person and case ---------------------------------------------------------

READ_PERSON: Final = shape(
    "ReadPerson", ReadPerson, "读取人员信息", "Ask whether a person is known", PERSON
)
PERSON_READ: Final = shape(
    "PersonRead",
    PersonRead,
    "人员信息（查无此人与无权查询答复相同）",
    "What is known of the person; alike for unknown and forbidden",
    need("Known", "known", BOOL, "是否可直接结算", "Whether the person may be settled directly"),
    may("CardLost", "card_lost", BOOL, "社会保障卡是否挂失", "Whether the card is reported lost"),
    may("Cases", "cases", COUNT, "工伤案件数", "How many cases"),
)
QUERY_CASE: Final = shape(
    "QueryCase",
    QueryCase,
    "查询工伤案件",
    "Ask for a person's cases",
    PERSON,
    may("CaseNo", "case_no", NUMBER, "工伤案件号", "One case only", sample="C0001"),
)
APPROVAL_SUMMARY: Final = shape(
    "Approval",
    ApprovalSummary,
    "一项审批",
    "One approval",
    need("ApprovalNo", "approval_no", TEXT_64, "审批编号", "Number", sample="P0001"),
    need("Kind", "kind", word.APPROVAL, "审批类型", "What it allows"),
    need("ValidFrom", "valid_from", DAY, "生效日", "First day"),
    need("ValidTo", "valid_to", DAY, "失效日（含）", "Last day, inclusive", sample="2026-12-31"),
    need("AuthorityKind", "authority_kind", word.AUTHORITY, "决定机关类别", "Kind of authority"),
    need(
        "Authority",
        "authority",
        TEXT_200,
        "决定机关名称",
        "Name of the authority",
        sample="示例市工伤保险经办机构",
    ),
    many("Hospital", "hospitals", PARTY, "就医机构", "Hospitals it names", most=MOST_PLACES),
    may("Area", "area", AREA, "就医地行政区划", "The area it names", absent=""),
    DEVICE_CODE,
)
CASE_SUMMARY: Final = shape(
    "Case",
    CaseSummary,
    "一个工伤案件",
    "One case",
    need("CaseNo", "case_no", NUMBER, "工伤案件号", "Case number", sample="C0001"),
    need("State", "state", word.CASE_STATE, "认定状态", "State", sample="RECOGNISED"),
    need(
        "InjuredOn", "injured_on", DAY, "事故伤害发生日", "Day of the injury", sample="2026-02-20"
    ),
    may(
        "DecisionNo",
        "decision_no",
        TEXT_64,
        "认定决定书文号",
        "Number of the decision",
        absent="",
        sample="示例认定2026-0001",
    ),
    may(
        "InjuredParts",
        "injured_parts",
        TEXT_200,
        "伤害部位",
        "Injured parts of the body",
        absent="",
        personal=True,
        sample="左小腿",
    ),
    many("Approval", "approvals", APPROVAL_SUMMARY, "审批", "Approvals", most=100),
)
CASES_FOUND: Final = shape(
    "CasesFound",
    CasesFound,
    "查到的工伤案件",
    "The person's cases",
    many("Case", "cases", CASE_SUMMARY, "案件", "Cases", most=100),
)


# --- 住院登记 admission -----------------------------------------------------------------

FIRST_JUDGEMENT: Final = shape(
    "FirstJudgement",
    FirstJudgement,
    "医院对工伤的初判",
    "The hospital's own first judgement that this is an injury at work",
    need("By", "by", TEXT_64, "初判人", "Who judged", personal=True, sample="乙测试"),
    need("At", "at", INSTANT, "初判时刻", "When"),
    need("Basis", "basis", TEXT_500, "依据", "On what grounds", sample="用人单位现场陈述"),
)


PLACES: Final = (
    need("Department", "department", TEXT_64, "科室", "Department", sample="骨科"),
    need("Doctor", "doctor", TEXT_64, "主治医生", "Doctor", personal=True, sample="丙测试"),
)
WARD: Final = may("Ward", "ward", TEXT_64, "病区", "Ward", sample="骨科一病区")
BED: Final = may("Bed", "bed", TEXT_32, "床位", "Bed", sample="12")
APPROVAL_NO: Final = may(
    "ApprovalNo", "approval_no", TEXT_64, "审批编号", "Approval this stay rests on", sample="P0001"
)

CASE_OF_SEVERAL: Final = may(
    "CaseNo",
    "case_no",
    NUMBER,
    "工伤案件号，有多个案件时必填",
    "Case; needed when there are several",
    sample="C0001",
)

REGISTER_ADMISSION: Final = shape(
    "RegisterAdmission",
    RegisterAdmission,
    "工伤住院登记",
    "Register a stay",
    need("VisitNo", "visit_no", NUMBER, "住院号，一次住院唯一", "Visit number, one per stay"),
    PERSON,
    CASE_OF_SEVERAL,
    need("Treatment", "treatment", word.TREATMENT, "治疗类别", "What the stay is for"),
    need("AdmittedAt", "admitted_at", INSTANT, "入院时刻", "Admission"),
    *PLACES,
    WARD,
    BED,
    may("Emergency", "emergency", BOOL, "是否急诊", "Whether it is an emergency"),
    APPROVAL_NO,
    may("FirstJudgement", "first_judgement", FIRST_JUDGEMENT, "工伤初判", "First judgement"),
    many("Diagnosis", "diagnoses", DIAGNOSIS, "诊断", "Diagnoses", least=1, most=32, personal=True),
)
LEAVE: Final = many(
    "Leave",
    "leave",
    DAY_SPAN,
    "请假离院的整日，须在住院期间内",
    "Whole days on leave, within the stay",
    most=MOST_SPANS,
    rare=True,
)
MODIFY_ADMISSION: Final = shape(
    "ModifyAdmission",
    ModifyAdmission,
    "修改住院登记：所填替换，未填保留",
    "Replace what is given; what is left out stays",
    ADMISSION_ID,
    *(replace(each, least=0) for each in PLACES),
    WARD,
    BED,
    APPROVAL_NO,
    many("Diagnosis", "diagnoses", DIAGNOSIS, "诊断", "Diagnoses", most=32, personal=True),
    may(
        "StableOn",
        "stable_on",
        DAY,
        "急诊入院后，医院认定病情稳定、可以转回协议医疗机构的日期",
        "Day on which the hospital found an emergency patient stable and fit to be moved back",
        rare=True,
    ),
    may(
        "NotifiedByEmployer",
        "notified_by_employer",
        BOOL,
        "用人单位是否已书面告知医院本次住院系工伤；未填保留",
        "Whether the employer told the hospital in writing that this is an injury at work",
        rare=True,
    ),
    LEAVE,
)
CANCEL_ADMISSION: Final = shape(
    "CancelAdmission",
    CancelAdmission,
    "撤销住院登记",
    "Cancel a registration",
    ADMISSION_ID,
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="登记有误"),
)
ADMISSION_REGISTERED: Final = shape(
    "AdmissionRegistered",
    AdmissionRegistered,
    "住院登记结果",
    "The registration and its state",
    ADMISSION_ID,
    need("State", "state", word.ADMISSION_STATE, "状态", "State", sample="CONFIRMED"),
    may("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001"),
    *code_and_texts("Refusal", "refusal", "拒绝代码", "Refusal code"),
    may("Note", "note", TEXT_2000, "说明", "Note", rare=True),
    may("Late", "late", BOOL, "是否逾期登记", "Whether it was registered late"),
)


# --- 费用 fees --------------------------------------------------------------------------


def _bill_line(line_id: str, occurred_at: datetime, _: None, *more: Any) -> BillLine:
    """The line with its business day, which follows from the instant."""
    return BillLine(line_id, occurred_at, occurred_at.astimezone(_BUSINESS_ZONE).date(), *more)


OWN_CODE: Final = may(
    "HospitalCode",
    "hospital_code",
    TEXT_64,
    "本院编码：按费用发生日已审核的对照换成国家编码，两者都保留",
    "The hospital's own code: the mapping accepted for the day of the fee gives the national one; "
    "both are kept",
    sample="HY-0001",
    repeats=True,
)
LINE_VALUES: Final = (
    need(
        "OccurredAt",
        "occurred_at",
        INSTANT,
        "费用发生时刻",
        "When the fee arose",
    ),
    need("Code", "code", TEXT_64, "国家编码", "National code", sample="Z0001", repeats=True),
    OWN_CODE,
    need("Name", "name", TEXT_200, "项目名称", "Name", sample="换药", repeats=True),
    may(
        "Category",
        "category",
        TEXT_64,
        "费用类别",
        "Category of fee",
        sample="诊疗",
        repeats=True,
    ),
    may("Unit", "unit", TEXT_32, "计价单位", "Unit", sample="次", repeats=True),
    may("Spec", "spec", TEXT_200, "规格", "Specification", sample="常规", repeats=True),
    need(
        "Quantity",
        "quantity",
        QUANTITY,
        "数量，退费为负",
        "Quantity; negative for a refund",
        sample="2",
    ),
    need("Price", "price", PRICE, "单价（元）", "Unit price in yuan", sample="12.50"),
    need(
        "Amount",
        "amount_fen",
        FEN,
        "金额（元），等于单价乘数量四舍五入到分",
        "Amount in yuan: price × quantity rounded half up to the fen",
    ),
    may(
        "PrescriptionNo",
        "prescription_no",
        TEXT_64,
        "医嘱或处方号",
        "Order or prescription",
        sample="Y0001",
    ),
    may("OrderNo", "order_no", TEXT_64, "医嘱号", "Doctor's order", sample="O0001"),
    may(
        "DailyDose",
        "daily_dose",
        QUANTITY,
        "药品每日用量，按计价单位",
        "Dose of a day, in the unit charged",
        absent=None,
        sample="2",
        rare=True,
    ),
    may(
        "TakeHome",
        "take_home",
        BOOL,
        "是否出院带药",
        "Whether given for after discharge",
        rare=True,
    ),
    may(
        "Department",
        "department",
        TEXT_64,
        "开单科室",
        "Ordering department",
        sample="骨科",
        repeats=True,
    ),
    may(
        "Doctor",
        "doctor",
        TEXT_64,
        "开单医生",
        "Ordering doctor",
        personal=True,
        sample="丙测试",
    ),
    may(
        "DoctorCode",
        "doctor_code",
        TEXT_64,
        "开单医生在协议名录中的代码",
        "The doctor's code in the directory of the agreement",
        sample="D0001",
    ),
    may(
        "RefundOf",
        "refund_of",
        NUMBER,
        "被退费的明细行号",
        "Line this refunds",
        sample="L0000",
        rare=True,
    ),
    may(
        "Relation",
        "relation",
        word.RELATION,
        "与工伤的关系，缺省为治疗工伤",
        "Relation to the injury; injury when left out",
    ),
    may(
        "Consent",
        "consent",
        word.SIGNER,
        "书面同意承担基金不付部分的一方",
        "Who signed for what the fund does not bear",
        absent=None,
        sample="individual",
        rare=True,
    ),
    may(
        "ConsentOn",
        "consent_on",
        DAY,
        "签署日期",
        "Day of that signature",
        rare=True,
    ),
)


def _uploaded(each: Field) -> Field:
    """Judged line by line; the national code may be left to the mapping of the hospital's own."""
    if each.wire != "Code":
        return replace(each, loose=True)
    zh = "国家编码；填了 HospitalCode 的可以不填，都填则须相符"
    en = "National code; not needed beside HospitalCode, with which it must agree"
    return replace(each, loose=True, least=0, absent="", zh=zh, en=en)


LINE_ID: Final = need(
    "LineId",
    "line_id",
    NUMBER,
    "明细行号，一次住院内唯一",
    "Line id, unique within the stay",
    sample="L0001",
)
UPLOADED_LINE: Final = shape(
    "UploadedLine",
    _bill_line,
    "上传的一行明细：行号之外的值逐行校验，不合格的行单独拒收",
    "An uploaded line: values beside the line id are judged line by line",
    LINE_ID,
    *(_uploaded(each) for each in LINE_VALUES),
    record=BillLine,
)
FOUND_LINE: Final = shape(
    "FoundLine",
    _bill_line,
    "网关保存的一行明细",
    "A line as kept",
    LINE_ID,
    *LINE_VALUES,
    may(
        "Violation",
        "violation",
        word.VIOLATION,
        "经办机构认定的违规",
        "Violation the agency confirmed",
        rare=True,
    ),
    record=BillLine,
)
UPLOAD_FEES: Final = shape(
    "UploadFees",
    UploadFees,
    "上传费用明细：按行号新增或替换",
    "Upsert of lines by line id",
    ADMISSION_ID,
    many("Line", "lines", UPLOADED_LINE, "明细", "Lines", least=1, most=MOST_LINES),
)
LINE_ANSWER: Final = shape(
    "LineAnswer",
    LineAnswer,
    "对一行明细的答复",
    "What became of one line",
    LINE_ID,
    need("Status", "status", word.LINE_STATUS, "结果", "What became of it"),
    *ANSWERED,
)
KEPT: Final = (
    need("KeptCount", "kept_count", COUNT, "网关现存行数", "Lines now kept"),
    need("KeptAmount", "kept_amount_fen", FEN, "网关现存金额", "Their sum"),
)
FEES_UPLOADED: Final = shape(
    "FeesUploaded",
    FeesUploaded,
    "逐行答复与现存合计",
    "An answer per line, and what is now kept",
    many("Line", "answers", LINE_ANSWER, "逐行答复", "Answers", most=2000),
    *KEPT,
)
VOID_FEES: Final = shape(
    "VoidFees",
    VoidFees,
    "作废费用明细",
    "Void lines",
    ADMISSION_ID,
    many(
        "LineId",
        "line_ids",
        NUMBER,
        "明细行号",
        "Line ids",
        least=1,
        most=MOST_LINES,
        sample="L0001",
    ),
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="录入有误"),
)
FEES_VOIDED: Final = shape(
    "FeesVoided",
    FeesVoided,
    "作废结果",
    "What was voided",
    need("Voided", "voided", COUNT, "作废行数", "Lines voided"),
    *KEPT,
)
QUERY_FEES: Final = shape(
    "QueryFees",
    QueryFees,
    "查询费用明细，按行号排序，每次至多 500 行",
    "Lines in order of line id, at most 500",
    ADMISSION_ID,
    may("AfterLineId", "after_line_id", NUMBER, "从此行号之后", "After this line", sample="L0500"),
)
FEES_FOUND: Final = shape(
    "FeesFound",
    FeesFound,
    "费用明细",
    "Lines kept",
    many("Line", "lines", FOUND_LINE, "明细", "Lines", most=MOST_LINES),
    *KEPT,
    need("More", "more", BOOL, "是否还有", "Whether there are more"),
)


# --- 结算与出院 settlement and discharge ------------------------------------------------

EXPECTED: Final = (
    need("ExpectedCount", "expected_count", COUNT, "医院明细行数", "Lines the hospital counts"),
    need("ExpectedAmount", "expected_amount_fen", FEN, "医院明细合计", "Their sum"),
)
OPERATOR: Final = need("Operator", "operator", TEXT_64, "操作员", "Operator", sample="OP01")
PREVIEW_SETTLEMENT: Final = shape(
    "PreviewSettlement",
    PreviewSettlement,
    "预结算",
    "Compute without settling",
    ADMISSION_ID,
    *EXPECTED,
    may("DischargedAt", "discharged_at", INSTANT, "拟出院时刻", "Intended discharge"),
)
COMMIT_SETTLEMENT: Final = shape(
    "CommitSettlement",
    CommitSettlement,
    "结算",
    "Settle the bill",
    ADMISSION_ID,
    need("BillNo", "bill_no", NUMBER, "医院票据号", "The hospital's bill number", sample="B0001"),
    *EXPECTED,
    need(
        "PaidAtDischargeBy",
        "paid_at_discharge_by",
        word.PAID_BY,
        "挂账期间由谁先付",
        "Who pays at the counter while the bill is held",
    ),
    OPERATOR,
)
CANCEL_SETTLEMENT: Final = shape(
    "CancelSettlement",
    CancelSettlement,
    "撤销结算",
    "Cancel a settlement",
    need("SettlementId", "settlement_id", NUMBER, "结算编号", "Settlement", sample="S0001"),
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="费用有误"),
    OPERATOR,
)
REGISTER_DISCHARGE: Final = shape(
    "RegisterDischarge",
    RegisterDischarge,
    "出院登记",
    "Register a discharge",
    ADMISSION_ID,
    need("DischargedAt", "discharged_at", INSTANT, "出院时刻", "Discharge"),
    need("Way", "way", TEXT_32, "离院方式", "Way of discharge", sample="医嘱离院"),
    many("Diagnosis", "diagnoses", DIAGNOSIS, "出院诊断", "Diagnoses", most=32, personal=True),
    may(
        "BmiSettlementNo",
        "bmi_settlement_no",
        NUMBER,
        "同次住院已在基本医疗保险结算的，其结算编号",
        "Settlement of this stay in basic insurance, if there is one",
        rare=True,
    ),
    LEAVE,
)
CANCEL_DISCHARGE: Final = shape(
    "CancelDischarge",
    CancelDischarge,
    "撤销出院登记",
    "Cancel a discharge",
    ADMISSION_ID,
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="登记有误"),
)


# --- 对账与目录 reconciliation and catalogue --------------------------------------------

RECONCILED_DAY: Final = need("Day", "day", DAY, "对账日", "Day reconciled", sample="2026-03-01")
DAY_SUMS: Final = (
    need("Count", "count", COUNT, "笔数（结算与撤销各计一笔）", "Settlements and reversals"),
    need("Split", "split", SPLIT, "五方合计（撤销为负）", "Signed sums over the five payers"),
    need("Meal", "meal_fen", FEN, "伙食补助费合计", "Sum of meal allowances", sample="0.00"),
    need(
        "DetailDigest",
        "detail_digest",
        DIGEST,
        "明细摘要（docs/reports.md）",
        "Digest over the details (docs/reports.md)",
    ),
)
RECONCILE_TOTALS: Final = shape(
    "ReconcileTotals", ReconcileTotals, "对总账", "Compare a day's sums", RECONCILED_DAY, *DAY_SUMS
)
TOTALS_COMPARED: Final = shape(
    "TotalsCompared",
    TotalsCompared,
    "总账核对结果与网关合计",
    "Our own day beside the hospital's",
    RECONCILED_DAY,
    need("Matched", "matched", BOOL, "是否相符", "Whether both agree"),
    *DAY_SUMS,
    many("Differing", "differing", TEXT_64, "不符的项目", "What differs", most=16, sample="Fund"),
)
HOSPITAL_ROW: Final = shape(
    "Row",
    HospitalRow,
    "医院账上一笔",
    "One row of the hospital's book",
    need("SettlementId", "settlement_id", NUMBER, "结算编号", "Settlement", sample="S0001"),
    need("Day", "day", DAY, "记账日", "Day of the books", sample="2026-03-01"),
    need("IdNo", "id_no", ID_NO, "证件号码", "Identity number", personal=True),
    may(
        "Reversed",
        "reversed",
        BOOL,
        "是否撤销（金额为负）",
        "Whether it is a reversal",
        absent=False,
    ),
    need("Split", "split", SPLIT, "五方分担", "Who bears it"),
    need("Meal", "meal_fen", FEN, "伙食补助费", "Meal allowance", sample="0.00"),
)
RECONCILE_DETAILS: Final = shape(
    "ReconcileDetails",
    ReconcileDetails,
    "对明细账",
    "Compare a day's rows",
    RECONCILED_DAY,
    many("Row", "rows", HOSPITAL_ROW, "明细", "Rows", most=MOST_LINES),
)
DIFFERENCE: Final = shape(
    "Difference",
    Difference,
    "一处差异",
    "One difference",
    need("Kind", "kind", WORD, "差异类别", "Class of difference", sample="AMOUNT_DIFF"),
    need("SettlementId", "settlement_id", NUMBER, "结算编号", "Settlement", sample="S0001"),
    may("Field", "field", TEXT_64, "不符的字段", "Field that differs", sample="Fund"),
    may(
        "HospitalValue",
        "hospital_value",
        TEXT_200,
        "医院的值",
        "The hospital's value",
        sample="20.00",
    ),
    may("CentreValue", "centre_value", TEXT_200, "网关的值", "Our value", sample="19.00"),
)
DETAILS_COMPARED: Final = shape(
    "DetailsCompared",
    DetailsCompared,
    "明细账核对结果",
    "What agreed and what did not",
    RECONCILED_DAY,
    need("Matched", "matched", COUNT, "相符笔数", "Rows that agree"),
    many("Difference", "differences", DIFFERENCE, "差异", "Differences", most=MOST_BILL_LINES),
)
DOWNLOAD_CATALOG: Final = shape(
    "DownloadCatalog",
    DownloadCatalogue,
    "下载目录，每次至多 500 条",
    "Rows of the edition in force on a day, at most 500",
    need("Kind", "kind", word.CATALOG, "目录种类", "Which catalogue"),
    need("Day", "day", DAY, "日期", "Day"),
    may("AfterCode", "after_code", TEXT_64, "从此编码之后", "After this code", sample="Z0500"),
)
CEILING: Final = shape(
    "Ceiling",
    lambda level, price: (level, price),
    "最高支付限价",
    "Highest payable unit price",
    may(
        "Level",
        "level",
        word.LEVEL,
        "医院等级，缺省为其余各级",
        "Hospital level; all others when left out",
        get=itemgetter(0),
    ),
    need("Price", "price", PRICE, "限价（元）", "Ceiling in yuan", get=itemgetter(1)),
)
CATALOG_ROW: Final = shape(
    "CatalogRow",
    CatalogueRow,
    "一条目录",
    "One row of a catalogue",
    need("Code", "code", TEXT_64, "编码", "Code", sample="Z0001"),
    need("Kind", "kind", word.CATALOG, "目录种类", "Which catalogue", sample="item"),
    need("Section", "section", TEXT_64, "部分", "Section", sample="诊疗项目"),
    need("Name", "name", TEXT_200, "名称", "Name", sample="换药"),
    may("Form", "form", TEXT_200, "剂型", "Form", sample="无"),
    may("DrugClass", "drug_class", TEXT_32, "甲乙类", "Class of drug", sample="甲"),
    may("Payable", "payable", BOOL, "是否支付", "Whether it is payable", sample="false"),
    may("NotAlone", "not_alone", BOOL, "单独使用不予支付", "Not payable when used alone"),
    may(
        "InsuranceLimit",
        "insurance_limit",
        word.LIMIT,
        "险种限定",
        "Limit to one insurance",
        sample="work_injury",
    ),
    may("Remark", "remark", TEXT_2000, "备注", "Remark", sample="限门诊使用"),
    may("PayStandard", "pay_standard", PRICE, "支付标准（元）", "Payment standard in yuan"),
    may(
        "PayStandardText",
        "pay_standard_text",
        TEXT_500,
        "支付标准原文",
        "Payment standard as printed",
        sample="25.00",
    ),
    may("AgreementFrom", "agreement_from", DAY, "协议生效日", "First day of the agreement"),
    may("AgreementTo", "agreement_to", DAY, "协议失效日", "Last day of the agreement"),
    may("Unit", "unit", TEXT_32, "计价单位", "Unit", sample="次"),
    many("Ceiling", "ceilings", CEILING, "限价", "Ceilings", most=4),
    may(
        "LifeMonths",
        "life_months",
        COUNT,
        "辅助器具最低使用年限（月）",
        "Least months of use of an assistive device",
        sample="12",
    ),
)
CATALOG_PAGE: Final = shape(
    "CatalogPage",
    CataloguePage,
    "目录的一页",
    "A page of a catalogue",
    need("Digest", "digest", DIGEST, "版本摘要", "Digest of the edition"),
    need("ValidFrom", "valid_from", DAY, "生效日", "First day", sample="2025-01-01"),
    may("ValidTo", "valid_to", DAY, "失效日（含）", "Last day, inclusive"),
    many("Row", "rows", CATALOG_ROW, "条目", "Rows", most=MOST_LINES),
    need("More", "more", BOOL, "是否还有", "Whether there are more"),
)


# --- 对照与审批申请 mappings and applications ---------------------------------------------

MAPPING_CLAIM: Final = shape(
    "MappingClaim",
    MappingClaim,
    "一条对照：按本院编码与生效日新增或替换，由经办机构审核",
    "One mapping: upsert by own code and first day; the agency reviews it",
    *MAPPED_VALUES,
    may(
        "Withdrawn",
        "withdrawn",
        BOOL,
        "撤回未通过审核的对照；已通过的填 ValidTo 终止",
        "Take back a mapping not accepted; end an accepted one by ValidTo",
        rare=True,
    ),
)
MAP_CATALOG: Final = shape(
    "MapCatalog",
    MapCatalogue,
    "对照：本院编码与国家编码",
    "Map the hospital's own codes to the national ones",
    many("Row", "rows", MAPPING_CLAIM, "对照", "Mappings", least=1, most=MOST_LINES),
)
MAPPING_ANSWER: Final = shape(
    "MappingAnswer",
    MappingAnswer,
    "对一条对照的答复",
    "What became of one mapping",
    HOSPITAL_CODE,
    VALID_FROM,
    need("Status", "status", word.LINE_STATUS, "结果", "What became of it"),
    may("State", "state", word.MAPPING_STATE, "现在的状态", "Its state now"),
    may("Version", "version", COUNT, "现在的版本", "Its version now"),
    *ANSWERED,
)
CATALOG_MAPPED: Final = shape(
    "CatalogMapped",
    CatalogueMapped,
    "逐条答复；未经经办机构审核的对照不用于计价",
    "An answer per mapping; until the agency accepts it a mapping prices nothing",
    many("Answer", "answers", MAPPING_ANSWER, "逐条答复", "Answers", most=MOST_LINES),
)
QUERY_MAPPINGS: Final = shape(
    "QueryMappings",
    QueryMappings,
    "查询本院对照，按本院编码与生效日排序，每次至多 500 条",
    "The hospital's own mappings in order of code and first day, at most 500",
    *PAGE_OF_MAPPINGS,
)
APPLY_APPROVAL: Final = shape(
    "ApplyApproval",
    ApplyApproval,
    "审批申请：转诊、异地居住、康复、旧伤复发、辅助器具、急诊、抢救用项目及延期",
    "Apply for a referral, remote residence, rehabilitation, relapse, device, emergency or item "
    "for rescue, or the prolongation of one",
    PERSON,
    CASE_OF_SEVERAL,
    need("Wanted", "wanted", WANTED, "申请的内容", "What is applied for"),
)
CANCEL_APPROVAL: Final = shape(
    "CancelApproval",
    CancelApproval,
    "撤回尚未决定的申请",
    "Take back an application that is not decided",
    APPLICATION_ID,
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="改期"),
)


# --- 命令与答复 commands and their replies ------------------------------------------------


DIALECT: Final = Dialect(
    "hospital",
    "医院接口",
    "The hospital's interface",
    (
        reading("person.read", READ_PERSON, PERSON_READ),
        reading("case.query", QUERY_CASE, CASES_FOUND),
        changing("admission.register", REGISTER_ADMISSION, ADMISSION_REGISTERED),
        changing("admission.modify", MODIFY_ADMISSION, ADMISSION_REGISTERED, ACKNOWLEDGED),
        changing("admission.cancel", CANCEL_ADMISSION, ADMISSION_REGISTERED, ACKNOWLEDGED),
        changing("fees.upload", UPLOAD_FEES, FEES_UPLOADED),
        changing("fees.void", VOID_FEES, FEES_VOIDED),
        reading("fees.query", QUERY_FEES, FEES_FOUND),
        reading("settlement.preview", PREVIEW_SETTLEMENT, SETTLEMENT),
        changing("settlement.commit", COMMIT_SETTLEMENT, SETTLEMENT),
        changing("settlement.cancel", CANCEL_SETTLEMENT, SETTLEMENT),
        changing("cut.answer", ANSWER_CUT, CUT),
        reading("cut.query", QUERY_CUTS, CUTS_FOUND),
        changing("discharge.register", REGISTER_DISCHARGE, ACKNOWLEDGED),
        changing("discharge.cancel", CANCEL_DISCHARGE, ACKNOWLEDGED),
        reading("transaction.query", QUERY_TRANSACTION, TRANSACTION_FOUND),
        changing("transaction.reverse", REVERSE_TRANSACTION, REVERSED),
        reading("reconcile.totals", RECONCILE_TOTALS, TOTALS_COMPARED),
        reading("reconcile.details", RECONCILE_DETAILS, DETAILS_COMPARED),
        reading("inbox.pull", PULL_INBOX, INBOX_PULLED),
        changing("inbox.ack", ACK_INBOX, INBOX_ACKNOWLEDGED),
        reading("catalog.download", DOWNLOAD_CATALOG, CATALOG_PAGE),
        changing("catalog.map", MAP_CATALOG, CATALOG_MAPPED),
        reading("mapping.query", QUERY_MAPPINGS, MAPPINGS_FOUND),
        changing("approval.apply", APPLY_APPROVAL, ACKNOWLEDGED),
        reading("approval.query", QUERY_APPROVALS, APPLICATIONS_FOUND),
        changing("approval.cancel", CANCEL_APPROVAL, ACKNOWLEDGED),
        notice("settlement.result", SETTLEMENT),
        notice("admission.changed", ADMISSION_CHANGED),
        notice("mapping.changed", MAPPINGS_CHANGED),
        notice("approval.changed", APPLICATION_CHANGED),
        notice("cut.changed", CUT),
    ),
)
