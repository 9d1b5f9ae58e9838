"""审批申请字段 Wire names of applications for approvals, shared by both interfaces."""

from typing import Final

from adapters.shape import vocabulary as word
from adapters.shape.fields import many, may, need, shape
from adapters.shape.kinds import (
    BOOL,
    COUNT,
    DAY,
    FEN,
    ID_NO,
    NUMBER,
    PRICE,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    TEXT_2000,
)
from adapters.shape.names import DIAGNOSIS, HOSPITAL, MOST_ITEMS, MOST_LINES
from gateway.domain.application import Application, PlannedItem, Wanted
from gateway.domain.commands import QueryApprovals
from gateway.domain.results import ApplicationChanged, ApplicationReceived, ApplicationsFound

_PAGE: Final = 100

APPLICATION_ID: Final = need(
    "ApplicationId", "application_id", NUMBER, "申请编号", "Application", sample="Q0001"
)
DEVICE_CODE: Final = many(
    "DeviceCode",
    "device_codes",
    TEXT_64,
    "经确认的辅助器具的目录编码；辅助器具审批必填，其他审批不填",
    "Catalogue codes of the devices confirmed; needed for a device, for nothing else",
    most=MOST_ITEMS,
    rare=True,
)
PLANNED_ITEM: Final = shape(
    "PlannedItem",
    PlannedItem,
    "计划或申请的一个项目：康复项目、辅助器具或抢救用项目",
    "One thing planned or asked for: rehabilitation, a device, an item for rescue",
    need("Name", "name", TEXT_200, "名称", "Name", sample="运动疗法"),
    may(
        "Code",
        "code",
        TEXT_64,
        "目录编码，申请辅助器具必填",
        "Catalogue code; needed for a device",
        sample="Z0002",
    ),
    may("Times", "times", COUNT, "次数或件数", "How many", sample="20"),
    may("Price", "price", PRICE, "单价（元）", "Unit price in yuan", sample="45.00"),
)
WANTED: Final = shape(
    "Wanted",
    Wanted,
    "申请的内容；各类须填的内容见医院接入指南",
    "What is applied for; the hospital guide says what each kind needs",
    need("Kind", "kind", word.APPROVAL, "审批类型", "What for", sample="REHABILITATION"),
    need("From", "wanted_from", DAY, "拟起始日", "First day wanted"),
    need("To", "wanted_to", DAY, "拟终止日（含）", "Last day wanted", sample="2026-04-30"),
    may(
        "AdmissionId",
        "admission_id",
        NUMBER,
        "所涉住院登记",
        "The stay it concerns",
        sample="A0001",
    ),
    may(
        "Place",
        "place",
        TEXT_200,
        "转往的机构，或居住地",
        "The institution referred to, or the place of residence",
        personal=True,
        sample="示例康复医院",
    ),
    may(
        "Opinion",
        "opinion",
        TEXT_2000,
        "诊断或治疗意见",
        "The doctor's opinion",
        personal=True,
        sample="功能受限，建议康复",
    ),
    may(
        "Effect",
        "effect",
        TEXT_2000,
        "预期效果",
        "Expected effect",
        personal=True,
        sample="恢复行走",
    ),
    may("Cost", "cost_fen", FEN, "预计费用（元）", "Expected cost in yuan", sample="900.00"),
    may(
        "Prolongs", "prolongs", TEXT_64, "所延期的审批编号", "Approval it prolongs", sample="P0001"
    ),
    may(
        "TransferredOn",
        "transferred_on",
        DAY,
        "紧急转诊已转出之日",
        "Day of a transfer already made in urgency",
        rare=True,
    ),
    many("Item", "items", PLANNED_ITEM, "项目", "Items", most=MOST_ITEMS),
    many("Diagnosis", "diagnoses", DIAGNOSIS, "诊断", "Diagnoses", most=32, personal=True),
    many("LineId", "line_ids", NUMBER, "所涉明细行号", "Lines", most=MOST_LINES, sample="L0001"),
)
STATE: Final = need("State", "state", word.APPLICATION_STATE, "状态", "State")
ANSWER: Final = (
    may("Granted", "granted", BOOL, "是否准予", "Whether granted", absent=None),
    may("ApprovalNo", "approval_no", TEXT_64, "审批编号", "Number of the approval", sample="P0001"),
    may("Reason", "reason", TEXT_500, "理由", "Reason", sample="符合康复指征"),
)
CASE_NO: Final = need("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001")
APPLICATION: Final = shape(
    "Application",
    Application,
    "一份审批申请",
    "One application",
    APPLICATION_ID,
    HOSPITAL,
    CASE_NO,
    STATE,
    need("AppliedOn", "applied_on", DAY, "申请日", "Day of the application"),
    need("Wanted", "wanted", WANTED, "申请的内容", "What is applied for"),
    *ANSWER,
    may("AnsweredOn", "answered_on", DAY, "决定或撤回之日", "Day of the answer", absent=None),
)
QUERY_APPROVALS: Final = shape(
    "QueryApprovals",
    QueryApprovals,
    "查询审批申请，按编号排序，每次至多 100 份；医院只见本院的",
    "Applications in order of id, at most 100; a hospital sees its own",
    may("ApplicationId", "application_id", NUMBER, "只查这一份", "This one only", sample="Q0001"),
    may("State", "state", word.APPLICATION_STATE, "只查该状态", "Of this state only", absent=None),
    may("After", "after", NUMBER, "从此编号之后", "After this id", sample="Q0000"),
)
APPLICATIONS_FOUND: Final = shape(
    "ApplicationsFound",
    ApplicationsFound,
    "审批申请的一页",
    "A page of applications",
    many("Application", "applications", APPLICATION, "申请", "Applications", most=_PAGE),
    need("More", "more", BOOL, "是否还有", "Whether there are more"),
)
APPLICATION_RECEIVED: Final = shape(
    "ApplicationReceived",
    ApplicationReceived,
    "收到审批申请通知：以 approval.decide 答复",
    "A hospital applies for an approval: answer with approval.decide",
    need("Application", "application", APPLICATION, "申请", "The application", personal=True),
    need("IdNo", "id_no", ID_NO, "证件号码", "Identity number", personal=True),
    need("Name", "name", TEXT_64, "姓名", "Name", personal=True, sample="甲测试"),
)
APPLICATION_CHANGED: Final = shape(
    "ApplicationChanged",
    ApplicationChanged,
    "审批申请已决定（致医院）或已撤回（致经办机构）",
    "To the hospital: the application was decided. To the agency: it was cancelled",
    APPLICATION_ID,
    HOSPITAL,
    CASE_NO,
    need("Kind", "kind", word.APPROVAL, "审批类型", "What for", sample="REHABILITATION"),
    need("State", "state", word.APPLICATION_STATE, "状态", "State", sample="DECIDED"),
    *ANSWER,
    may("ValidFrom", "valid_from", DAY, "生效日", "First day", absent=None),
    may("ValidTo", "valid_to", DAY, "失效日（含）", "Last day", absent=None, sample="2026-04-30"),
    DEVICE_CODE,
)
