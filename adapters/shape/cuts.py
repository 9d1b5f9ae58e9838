"""扣减报文 The cut on the wire, one for both interfaces: what it rests on, and the remedies."""

from typing import Final

from adapters.shape import vocabulary as word
from adapters.shape.fields import many, may, need, shape, told
from adapters.shape.kinds import (
    BOOL,
    COUNT,
    DAY,
    FEN,
    INSTANT,
    NUMBER,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    TEXT_2000,
)
from adapters.shape.names import ADMISSION_ID, HOSPITAL, VISIT_NO
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.commands import AnswerCut, QueryCuts
from gateway.domain.cut import (
    LAW,
    MOST_CUTS,
    MOST_STATEMENTS,
    REMEDIES,
    Cut,
    CutDecision,
    CutLine,
    Statement,
)
from gateway.domain.reasons import REASONS
from gateway.domain.results import CutsFound

MOST_CUT_LINES: Final = 500
_MOST_DOCUMENTS: Final = 32

CUT_NO: Final = need("CutNo", "cut_no", NUMBER, "扣减编号", "Number of the cut", sample="K0001")
DOCUMENTS: Final = many(
    "Document",
    "documents",
    TEXT_200,
    "所附材料名称",
    "Papers by name",
    most=_MOST_DOCUMENTS,
    sample="长期医嘱单",
)
ACCEPTED: Final = need(
    "Accepted", "accepted", BOOL, "无异议为 true，有异议为 false", "true accepts, false objects"
)

CUT_LINE: Final = shape(
    "CutLine",
    CutLine,
    "扣减所涉的一行明细（已扣除退费）",
    "A line cut, net of its refunds",
    need("LineId", "line_id", NUMBER, "明细行号", "Line id", sample="L0001"),
    need("Code", "code", TEXT_64, "目录编码", "Catalogue code", sample="Z0001"),
    need("Name", "name", TEXT_200, "项目名称", "Name", sample="换药"),
    need("Amount", "amount_fen", FEN, "原金额", "Amount charged"),
    may("Upheld", "upheld_fen", FEN, "复核后的扣减", "Cut by the final decision"),
)
STATEMENT: Final = shape(
    "Statement",
    Statement,
    "医疗机构的一次陈述、申辩",
    "A statement of the hospital",
    ACCEPTED,
    need("By", "by", TEXT_64, "陈述人", "Who speaks", personal=True, sample="己测试"),
    may("Reason", "reason", TEXT_2000, "理由", "Reason", absent="", sample="医嘱已补录"),
    DOCUMENTS,
    need("At", "at", INSTANT, "时刻", "When"),
    need("Late", "late", BOOL, "是否逾期", "Whether after the last day to answer"),
)
CUT_DECISION: Final = shape(
    "CutDecision",
    CutDecision,
    "复核决定",
    "A final decision",
    need("Outcome", "outcome", word.CUT_OUTCOME, "结果", "Outcome"),
    need("By", "by", TEXT_64, "复核人", "Who decided", personal=True, sample="庚测试"),
    need("Reason", "reason", TEXT_2000, "理由", "Reason", sample="核对医嘱后维持"),
    need("HearingHeld", "hearing_held", BOOL, "是否当面听取意见", "Whether a hearing was held"),
    may("HearingOn", "hearing_on", DAY, "听取意见之日", "Day of the hearing", absent=None),
    need("At", "at", INSTANT, "时刻", "When"),
    may(
        "GiveBack",
        "give_back_fen",
        FEN,
        "医院应退还单位、个人的金额",
        "What the hospital owes to employer and person who paid their shares",
    ),
    may(
        "DeltaId",
        "delta_id",
        NUMBER,
        "已结算账单的补差结算编号，金额不变的没有",
        "Delta settlement posted to a settled bill; none where no amount changes",
        absent="",
        sample="D0001",
    ),
)
CUT: Final = shape(
    "Cut",
    Cut,
    "扣减：拟扣、送达、陈述申辩与复核决定；维持后才影响金额",
    "A cut, from proposal over notice and statement to the final decision; only then money moves",
    CUT_NO,
    need("Version", "version", COUNT, "版本，每变一次加一", "Version: one more with each change"),
    need("State", "state", word.CUT_STATE, "状态", "State", sample="NOTICED"),
    ADMISSION_ID,
    VISIT_NO,
    HOSPITAL,
    may(
        "SettlementId",
        "settlement_id",
        NUMBER,
        "所涉结算，未结算的没有",
        "Settlement concerned; none before settlement",
        absent="",
        sample="S0001",
    ),
    need("Violation", "violation", word.VIOLATION, "违规类别", "Violation"),
    told("TextZh", lambda one: REASONS[one.violation].zh, TEXT_500, "中文说明", "It in Chinese"),
    told("TextEn", lambda one: REASONS[one.violation].en, TEXT_500, "英文说明", "It in English"),
    may("Rule", "rule", word.AUDIT_CODE, "审核规则", "Audit rule that led to it", absent=""),
    told(
        "RuleText",
        lambda one: AUDIT_RULES[one.rule].zh if one.rule else None,
        TEXT_500,
        "审核规则说明",
        "The rule in Chinese",
        least=0,
    ),
    need(
        "Clause",
        "clause",
        TEXT_500,
        "依据的服务协议条款",
        "Clause of the service agreement it rests on",
        sample="服务协议第二十一条",
    ),
    told("Law", lambda one: LAW, TEXT_200, "依据的法规条款", "Articles", least=1, most=len(LAW)),
    need("Evidence", "evidence", TEXT_2000, "证据", "Evidence", sample="同一分钟两次计费"),
    need(
        "RaisedBy", "raised_by", TEXT_64, "提出人", "Who raised it", personal=True, sample="丁测试"
    ),
    need("Reason", "reason", TEXT_500, "理由", "Reason", sample="重复收费"),
    need("RaisedAt", "raised_at", INSTANT, "提出时刻", "When it was raised"),
    told("Amount", lambda one: one.amount_fen, FEN, "原金额合计", "Amount of the lines"),
    told("Upheld", lambda one: one.upheld_fen, FEN, "复核后的扣减合计", "Cut by the decision"),
    need(
        "Posted",
        "posted_fen",
        FEN,
        "已结算的，基金因此少付（医疗费与伙食，按整单重算之差）",
        "What the fund pays less for a settled bill: fees and meals, the whole bill decided again",
        sample="25.00",
    ),
    may("NoticedOn", "noticed_on", DAY, "通知送达日", "Day the notice was served", absent=None),
    may("AnswerBy", "answer_by", DAY, "陈述申辩的最后一日", "Last day to answer", absent=None),
    may(
        "HeardOn",
        "heard_on",
        DAY,
        "首次陈述之日，或期满之日",
        "Day of the first statement, or the last day to answer once over",
        absent=None,
    ),
    many("Line", "lines", CUT_LINE, "明细", "Lines", least=1, most=MOST_CUT_LINES),
    many("Statement", "statements", STATEMENT, "陈述申辩", "Statements", most=MOST_STATEMENTS),
    many("Decision", "decisions", CUT_DECISION, "复核决定", "Final decisions", most=2),
    told("RemedyZh", lambda one: REMEDIES[0], TEXT_500, "救济途径", "Remedies in Chinese"),
    told("RemedyEn", lambda one: REMEDIES[1], TEXT_500, "救济途径英文", "Remedies in English"),
)
CUTS_FOUND: Final = shape(
    "CutsFound",
    CutsFound,
    "一次住院的扣减",
    "The cuts of a stay",
    many("Cut", "cuts", CUT, "扣减", "Cuts", most=MOST_CUTS),
)
QUERY_CUTS: Final = shape(
    "QueryCuts",
    QueryCuts,
    "查询一次住院的扣减",
    "Ask for the cuts of a stay",
    ADMISSION_ID,
)
ANSWER_CUT: Final = shape(
    "AnswerCut",
    AnswerCut,
    "对扣减陈述、申辩；决定前可补充",
    "State the case about a cut; more may be said until the decision",
    CUT_NO,
    ACCEPTED,
    need("By", "by", TEXT_64, "陈述人", "Who speaks", personal=True, sample="己测试"),
    may(
        "Reason",
        "reason",
        TEXT_2000,
        "理由，有异议时必填",
        "Reason; needed to object",
        sample="医嘱已补录",
    ),
    DOCUMENTS,
)
