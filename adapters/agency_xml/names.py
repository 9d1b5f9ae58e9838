"""经办接口字段 The agency's wire names, each beside our word (gateway/domain).

Shared records (header, person, settlement, transactions, inbox) stand in
adapters/shape/names.py; closed lists in adapters/shape/vocabulary.py.
"""

from typing import Final

from adapters.shape import vocabulary as word
from adapters.shape.approval_names import (
    APPLICATION_CHANGED,
    APPLICATION_RECEIVED,
    APPLICATIONS_FOUND,
    QUERY_APPROVALS,
)
from adapters.shape.cuts import CUT, CUT_NO, CUTS_FOUND, MOST_CUT_LINES, QUERY_CUTS
from adapters.shape.dialect import Dialect
from adapters.shape.fields import many, may, need, shape
from adapters.shape.kinds import (
    BOOL,
    DAY,
    FEN,
    ID_NO,
    INSTANT,
    NUMBER,
    PARTY,
    TEXT_32,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    TEXT_2000,
)
from adapters.shape.mapping_names import (
    HOSPITAL_CODE,
    MAPPINGS_CHANGED,
    MAPPINGS_FOUND,
    PAGE_OF_MAPPINGS,
    REASON,
    VALID_FROM,
    VERSION,
)
from adapters.shape.names import (
    ACK_INBOX,
    ACKNOWLEDGED,
    ADMISSION_CHANGED,
    DIAGNOSIS,
    IDENTITY,
    INBOX_ACKNOWLEDGED,
    INBOX_PULLED,
    MOST_LINES,
    PULL_INBOX,
    QUERY_TRANSACTION,
    REVERSE_TRANSACTION,
    REVERSED,
    SETTLEMENT,
    SPLIT,
    TRANSACTION_FOUND,
    changing,
    notice,
    reading,
)
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.commands import (
    CheckAdmission,
    DecideApproval,
    DecideCase,
    DecideCut,
    DecideLines,
    DecideMappings,
    LineDecision,
    QueryMappings,
    ReportCard,
    ReportCase,
    StopBenefit,
    UpdateEmployer,
)
from gateway.domain.mapping import MappingDecision
from gateway.domain.results import AdmissionReceived, ReadjudicationChanged

CASE_NO: Final = need("CaseNo", "case_no", NUMBER, "工伤案件号", "Case number", sample="C0001")
PERSON: Final = need("Person", "person", IDENTITY, "人员", "The person", personal=True)
ADMISSION_ID: Final = need(
    "AdmissionId", "admission_id", NUMBER, "住院登记编号", "Registration", sample="A0001"
)
BY: Final = need("By", "by", TEXT_64, "经办人", "Who decided", personal=True, sample="丁测试")
INSURED: Final = may(
    "InsuredAtInjury", "insured_at_injury", BOOL, "受伤时是否参保", "Whether insured when injured"
)
DIAGNOSES: Final = many(
    "Diagnosis", "diagnoses", DIAGNOSIS, "诊断", "Diagnoses", most=32, personal=True
)

REPORT_CASE: Final = shape(
    "ReportCase",
    ReportCase,
    "用人单位报案：何人、何时、经何渠道报到经办机构",
    "The employer's report as it reached the agency: who, when and by which channel",
    CASE_NO,
    PERSON,
    need("EmployerNo", "employer_no", NUMBER, "用人单位编号", "Employer's number", sample="E0001"),
    need(
        "EmployerName",
        "employer_name",
        TEXT_200,
        "用人单位名称",
        "Employer's name",
        sample="示例用人单位",
    ),
    need(
        "InjuredOn",
        "injured_on",
        DAY,
        "事故伤害发生日或职业病诊断日",
        "Day of the injury or diagnosis",
        sample="2026-02-20",
    ),
    need(
        "InjuredParts",
        "injured_parts",
        TEXT_200,
        "伤害部位",
        "Injured parts",
        personal=True,
        sample="左小腿",
    ),
    DIAGNOSES,
    need(
        "ReportedBy",
        "reported_by",
        TEXT_64,
        "报案人",
        "Who reported",
        personal=True,
        sample="戊测试",
    ),
    need("ReportedAt", "reported_at", INSTANT, "报案时刻", "When"),
    need("Channel", "channel", word.CHANNEL, "报案渠道", "By which channel"),
    INSURED,
    may(
        "ThirdParty",
        "third_party",
        word.THIRD_PARTY,
        "第三人责任，缺省为无",
        "Third party; none when left out",
        sample="SUSPECTED",
    ),
    may("TrafficAccident", "traffic_accident", BOOL, "是否交通事故", "Whether a traffic accident"),
    may("Disputed", "disputed", BOOL, "是否有争议", "Whether disputed"),
)
DECIDE_CASE: Final = shape(
    "DecideCase",
    DecideCase,
    "工伤认定步骤或决定",
    "A step or decision of the department, with the authority that took it",
    CASE_NO,
    need("State", "state", word.CASE_STATE, "认定状态", "State", sample="RECOGNISED"),
    need("DecidedOn", "decided_on", DAY, "决定日期", "Day of the decision"),
    need(
        "Authority",
        "authority",
        TEXT_200,
        "决定机关",
        "Authority",
        sample="示例市人力资源和社会保障局",
    ),
    need("Reason", "reason", TEXT_500, "理由", "Reason", sample="符合工伤保险条例第十四条第一项"),
    may(
        "DecisionNo",
        "decision_no",
        TEXT_64,
        "决定书文号",
        "Number of the decision",
        sample="示例认定2026-0001",
    ),
    may("AppliedOn", "applied_on", DAY, "申请认定日", "Day of the application"),
    may(
        "AppliedBy",
        "applied_by",
        word.APPLICANT,
        "最先提出申请的人；从未告知的按用人单位办理",
        "Who applied first; taken for the employer while never told",
    ),
    may("AcceptedOn", "accepted_on", DAY, "受理日", "Day of acceptance"),
    INSURED,
    may(
        "ThirdParty",
        "third_party",
        word.THIRD_PARTY,
        "第三人责任，缺省为不变",
        "Third party; unchanged when left out",
    ),
    may("Litigation", "litigation", BOOL, "是否在复议或诉讼中", "Whether under review or in court"),
    may("Disputed", "disputed", BOOL, "是否有争议", "Whether disputed"),
    may("RelationEndedOn", "relation_ended_on", DAY, "劳动关系终止日", "Day the employment ended"),
)
CHECK_ADMISSION: Final = shape(
    "CheckAdmission",
    CheckAdmission,
    "核对住院登记：确认，或以代码拒绝",
    "Confirm a registration, or refuse it with a code",
    ADMISSION_ID,
    BY,
    need("Reason", "reason", TEXT_500, "理由", "Reason", sample="核对无误"),
    may(
        "Refusal",
        "refusal",
        word.REFUSAL,
        "拒绝代码，缺省为确认",
        "Refusal code; confirmed when left out",
    ),
)
LINE_DECISION: Final = shape(
    "LineDecision",
    LineDecision,
    "对一行明细的判定",
    "A decision about one line",
    need("LineId", "line_id", NUMBER, "明细行号", "Line id", sample="L0001"),
    may(
        "Relation",
        "relation",
        word.RELATION,
        "与工伤的关系",
        "Relation to the injury",
        sample="unrelated",
    ),
    may(
        "Violation",
        "violation",
        word.VIOLATION,
        "违规类别；提出一项扣减，经复核维持后才由医院承担",
        "Violation: it raises a cut, and the hospital bears the line only once that is upheld",
    ),
    may(
        "LimitMet",
        "limit_met",
        BOOL,
        "药品目录备注的限定支付范围是否符合",
        "Whether the limit of payment in the drug list's remark is met",
    ),
)
DECIDE_LINES: Final = shape(
    "DecideLines",
    DecideLines,
    "判定明细：与工伤的关系、违规、限定支付范围，及排除审核疑点",
    "Decide lines: relation to the injury, violations, limits; and clear suspicions",
    ADMISSION_ID,
    BY,
    need("Reason", "reason", TEXT_500, "理由", "Reason", sample="经医学专家核对"),
    many("Line", "lines", LINE_DECISION, "明细", "Lines", most=MOST_LINES),
    many(
        "Cleared",
        "cleared",
        word.AUDIT_CODE,
        "经核实排除疑点的审核规则",
        "Audit rules whose suspicion was looked at and taken back",
        most=len(AUDIT_RULES),
    ),
    may(
        "Rule", "rule", word.AUDIT_CODE, "发现违规的审核规则", "Audit rule that led to a violation"
    ),
    may(
        "Clause",
        "clause",
        TEXT_500,
        "违规所依据的服务协议条款，有违规时必填",
        "Clause of the service agreement; needed for a violation",
        sample="服务协议第二十一条",
    ),
    may(
        "Evidence",
        "evidence",
        TEXT_2000,
        "违规的证据，有违规时必填",
        "Evidence; needed for a violation",
        sample="同一分钟两次计费",
    ),
)
DECIDE_CUT: Final = shape(
    "DecideCut",
    DecideCut,
    "复核决定：维持、部分维持或撤回扣减，由提出人以外的人作出",
    "The final decision on a cut, by a person other than who raised it",
    CUT_NO,
    need("Outcome", "outcome", word.CUT_OUTCOME, "结果", "Outcome"),
    BY,
    need("Reason", "reason", TEXT_2000, "理由", "Reason", sample="核对医嘱后维持"),
    need("HearingHeld", "hearing_held", BOOL, "是否当面听取意见", "Whether a hearing was held"),
    may("HearingOn", "hearing_on", DAY, "听取意见之日", "Day of the hearing", absent=None),
    many(
        "LineId",
        "line_ids",
        NUMBER,
        "部分维持的，仍予扣减的明细行号",
        "Lines on which a reduced cut stands",
        most=MOST_CUT_LINES,
        sample="L0001",
    ),
)
DECIDE_APPROVAL: Final = shape(
    "DecideApproval",
    DecideApproval,
    "审批：准予，或自生效日起收回",
    "Grant an approval, or take one back from its first day on",
    need("ApprovalNo", "approval_no", TEXT_64, "审批编号", "Number", sample="P0001"),
    CASE_NO,
    need("Kind", "kind", word.APPROVAL, "审批类型", "What it allows"),
    need("Granted", "granted", BOOL, "是否准予", "Whether granted"),
    need(
        "Authority", "authority", TEXT_200, "审批机关", "Authority", sample="示例市工伤保险经办机构"
    ),
    BY,
    need("ValidFrom", "valid_from", DAY, "生效日", "First day"),
    need("ValidTo", "valid_to", DAY, "失效日（含）", "Last day, inclusive", sample="2026-12-31"),
    may("Hospital", "hospital", PARTY, "就医机构，缺省为不限", "Hospital; any when left out"),
    many(
        "LineId",
        "line_ids",
        NUMBER,
        "所涉明细行号",
        "Lines it concerns",
        most=MOST_LINES,
        sample="L0001",
    ),
    may(
        "ApplicationId",
        "application_id",
        NUMBER,
        "所答复的申请；不予准予的即拒绝该申请",
        "The application it answers; not granted then refuses that application",
        rare=True,
    ),
    may(
        "Reason",
        "reason",
        TEXT_500,
        "理由，拒绝申请时必填",
        "Reason; needed to refuse an application",
        sample="符合康复指征",
    ),
)
MAPPING_DECISION: Final = shape(
    "MappingDecision",
    MappingDecision,
    "对一条对照的审核",
    "The review of one mapping",
    HOSPITAL_CODE,
    VALID_FROM,
    VERSION,
    need("Accepted", "accepted", BOOL, "是否通过", "Whether accepted"),
    REASON,
)
DECIDE_MAPPINGS: Final = shape(
    "DecideMappings",
    DecideMappings,
    "审核医院对照：通过，或说明理由不通过（已通过的即撤销）",
    "Review a hospital's mappings: accept, or refuse with a reason (also what was accepted)",
    need("Hospital", "hospital", PARTY, "医院编号", "Hospital"),
    BY,
    many("Row", "rows", MAPPING_DECISION, "对照", "Mappings", least=1, most=MOST_LINES),
)
QUERY_MAPPINGS: Final = shape(
    "QueryMappings",
    QueryMappings,
    "查询一家医院的对照，按本院编码与生效日排序，每次至多 500 条",
    "A hospital's mappings in order of code and first day, at most 500",
    need("Hospital", "hospital", PARTY, "医院编号", "Hospital"),
    *PAGE_OF_MAPPINGS,
)
UPDATE_EMPLOYER: Final = shape(
    "UpdateEmployer",
    UpdateEmployer,
    "用人单位欠缴及补缴（工伤保险条例第六十二条第三款）",
    "Arrears of an employer, and their end with the late fee paid",
    need("EmployerNo", "employer_no", NUMBER, "用人单位编号", "Employer's number", sample="E0001"),
    need(
        "ArrearsSince",
        "arrears_since",
        DAY,
        "欠缴起始日",
        "First day of arrears",
        sample="2026-01-01",
    ),
    may(
        "SettledOn", "settled_on", DAY, "本金与滞纳金缴清日", "Day all was paid, late fee included"
    ),
    may(
        "JoinedOn",
        "joined_on",
        DAY,
        "受伤时未参保的单位参保之日；缴清次日起为新发生的费用",
        "Day an uninsured employer joined; costs are new from the day after all was paid",
        rare=True,
    ),
)
REPORT_CARD: Final = shape(
    "ReportCard",
    ReportCard,
    "社会保障卡挂失或解挂，即时生效",
    "Loss of a social-security card, or its end; in force at once",
    PERSON,
    need("Lost", "lost", BOOL, "挂失为 true，解挂为 false", "true for lost, false for its end"),
    need("At", "at", INSTANT, "时刻", "When"),
    need("Channel", "channel", TEXT_32, "渠道", "Channel", sample="12333"),
)
STOP_BENEFIT: Final = shape(
    "StopBenefit",
    StopBenefit,
    "停止工伤保险待遇的决定（工伤保险条例第四十二条）",
    "A served decision that stops benefits (art. 42)",
    CASE_NO,
    need("ValidFrom", "valid_from", DAY, "停止起始日", "First day"),
    may(
        "ValidTo",
        "valid_to",
        DAY,
        "停止截止日（含），缺省为未定",
        "Last day, inclusive; open when left out",
    ),
    need(
        "Ground",
        "ground",
        TEXT_200,
        "事由；REFUSED_DISCHARGE 表示出院通知已送达而拒不出院",
        "Ground; REFUSED_DISCHARGE is a served notice of discharge that was refused",
        sample="拒绝治疗",
    ),
    need("NoticeNo", "notice_no", TEXT_64, "决定书文号", "Number of the decision", sample="T0001"),
    need("ServedOn", "served_on", DAY, "送达日", "Day it was served"),
)
ADMISSION_RECEIVED: Final = shape(
    "AdmissionReceived",
    AdmissionReceived,
    "收到住院登记通知，可能须核对",
    "A hospital registered a stay; it may have to be checked",
    ADMISSION_ID,
    need("Hospital", "hospital", PARTY, "医院编号", "Hospital"),
    need("VisitNo", "visit_no", NUMBER, "住院号", "The hospital's visit number"),
    need("State", "state", word.ADMISSION_STATE, "状态", "State", sample="PENDING_CHECK"),
    need("IdNo", "id_no", ID_NO, "证件号码", "Identity number", personal=True),
    need("Name", "name", TEXT_64, "姓名", "Name", personal=True, sample="甲测试"),
    may("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001"),
    need("AdmittedAt", "admitted_at", INSTANT, "入院时刻", "Admission"),
    may("Late", "late", BOOL, "是否逾期登记", "Whether it was registered late"),
    DIAGNOSES,
)

READJUDICATION_CHANGED: Final = shape(
    "ReadjudicationChanged",
    ReadjudicationChanged,
    "重新审核通知：更正涉及哪笔结算，或重审建议的进展",
    "A correction touches a live settlement, or a proposal about it moved",
    need("State", "state", word.PROPOSAL_STATE, "状态", "State", sample="PROPOSED"),
    may("ProposalId", "proposal_id", NUMBER, "重审建议编号", "Proposal", sample="R0001"),
    need("SettlementId", "settlement_id", NUMBER, "原结算编号", "Settlement", sample="S0001"),
    need("Hospital", "hospital", PARTY, "医院编号", "Hospital"),
    need("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001"),
    need("Cause", "cause", word.CAUSE, "更正事由", "What was corrected", sample="CASE"),
    need("Split", "split", SPLIT, "五方差额，合计为零", "Differences, which sum to zero"),
    need("Meal", "meal_fen", FEN, "伙食补助费差额", "Difference of the meal allowance"),
    may("CutsHospital", "cuts_hospital", BOOL, "医院是否少得", "Whether the hospital gets less"),
    may(
        "NeedsGround",
        "needs_ground",
        BOOL,
        "因认定撤销而追回，须另有依据方可批准",
        "Takes back for want of recognition: not approved without an article",
    ),
    may("Note", "note", TEXT_500, "说明", "Note", sample="case.decide D0001"),
)


DIALECT: Final = Dialect(
    "agency",
    "经办机构接口",
    "The agency's interface",
    (
        changing("case.report", REPORT_CASE, ACKNOWLEDGED),
        changing("case.decide", DECIDE_CASE, ACKNOWLEDGED),
        changing("admission.check", CHECK_ADMISSION, ACKNOWLEDGED),
        changing("lines.decide", DECIDE_LINES, ACKNOWLEDGED),
        changing("cut.decide", DECIDE_CUT, CUT),
        reading("cut.query", QUERY_CUTS, CUTS_FOUND),
        changing("approval.decide", DECIDE_APPROVAL, ACKNOWLEDGED),
        reading("approval.query", QUERY_APPROVALS, APPLICATIONS_FOUND),
        changing("mapping.decide", DECIDE_MAPPINGS, ACKNOWLEDGED),
        reading("mapping.query", QUERY_MAPPINGS, MAPPINGS_FOUND),
        changing("employer.update", UPDATE_EMPLOYER, ACKNOWLEDGED),
        changing("person.card", REPORT_CARD, ACKNOWLEDGED),
        changing("benefit.stop", STOP_BENEFIT, ACKNOWLEDGED),
        reading("transaction.query", QUERY_TRANSACTION, TRANSACTION_FOUND),
        changing("transaction.reverse", REVERSE_TRANSACTION, REVERSED),
        reading("inbox.pull", PULL_INBOX, INBOX_PULLED),
        changing("inbox.ack", ACK_INBOX, INBOX_ACKNOWLEDGED),
        notice("admission.received", ADMISSION_RECEIVED),
        notice("admission.changed", ADMISSION_CHANGED),
        notice("approval.received", APPLICATION_RECEIVED),
        notice("approval.changed", APPLICATION_CHANGED),
        notice("mapping.received", MAPPINGS_CHANGED),
        notice("cut.changed", CUT),
        notice("settlement.result", SETTLEMENT),
        notice("readjudication.changed", READJUDICATION_CHANGED),
    ),
)
