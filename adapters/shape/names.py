"""报文字段 Wire names both interfaces share: header, person, money, settlement, transactions.

Left the name on the wire, then our word (gateway/domain), its kind and its meaning.
"""

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Final

from adapters.shape import vocabulary as word
from adapters.shape.cited import (
    LineRow,
    MealRow,
    PayoutRow,
    citation_row,
    citation_rows,
    citations_of,
    line_row,
    packed,
    split_of,
    unpacked,
)
from adapters.shape.dialect import Exchange
from adapters.shape.fields import Field, Shape, many, may, need, shape, told
from adapters.shape.header import COMMAND, HEADER_FIELDS, Header
from adapters.shape.kinds import (
    BOOL,
    BYTES,
    CARD_NO,
    CITES,
    COUNT,
    DAY,
    DIGEST,
    FEN,
    ID_NO,
    INSTANT,
    MESSAGE_ID,
    NUMBER,
    PARTY,
    PHONE,
    SHOWN,
    STEPS,
    TEXT_32,
    TEXT_64,
    TEXT_200,
    TEXT_500,
    TEXT_2000,
    WORD,
    count_up_to,
)
from gateway.domain.admission import DaySpan, Diagnosis
from gateway.domain.audit_rules import AUDIT_RULES, MOST_HITS, MOST_SUSPECT_LINES
from gateway.domain.bill import NO_STEPS, Citation, Payee, PayeeShare, Suspicion
from gateway.domain.codes import CODES
from gateway.domain.commands import (
    AckInbox,
    Identity,
    PullInbox,
    QueryTransaction,
    ReverseTransaction,
)
from gateway.domain.findings import Finding
from gateway.domain.reasons import REASONS
from gateway.domain.results import (
    Acknowledged,
    AdmissionChanged,
    InboxAcknowledged,
    InboxMessage,
    InboxPulled,
    Refused,
    Reversed,
    Settlement,
    Superseded,
    TransactionFound,
)

MOST_LINES: Final = 500
MOST_PLACES: Final = 50
MOST_ITEMS: Final = 100
MOST_SPANS: Final = 64
MOST_BILL_LINES: Final = 5000
# With eight on each of 5,000 lines a settlement still passes the byte gate's count of tags.
MOST_REASONS: Final = 8
MOST_CITATIONS: Final = 9999
MOST_SUSPICIONS: Final = len(AUDIT_RULES) * (MOST_HITS + 1)
INBOX_PAGE: Final = 100
CITATION_NO: Final = count_up_to("CitationNo", MOST_CITATIONS, 1)
LANE_SEQ: Final = count_up_to("LaneSeq", 999_999_999_999)

HEADER: Final = shape("Header", Header, "报文头", "Who says what to whom, and when", *HEADER_FIELDS)

IDENTITY: Final = shape(
    "Identity",
    Identity,
    "就医人员身份（个人信息）",
    "A person as identified at the counter (personal data)",
    need("IdNo", "id_no", ID_NO, "证件号码", "Number of the identity document", personal=True),
    need("Name", "name", TEXT_64, "姓名", "Name", personal=True, sample="甲测试"),
    may("CardNo", "card_no", CARD_NO, "社会保障卡号", "Social-security card", personal=True),
    may("Phone", "phone", PHONE, "联系电话", "Telephone", personal=True),
    may(
        "Credential",
        "credential",
        word.CREDENTIAL,
        "所持凭证，缺省为身份证件（社会保险经办条例第七条）",
        "Credential shown; an identity document when left out",
    ),
)

DIAGNOSIS: Final = shape(
    "Diagnosis",
    Diagnosis,
    "诊断（个人信息）",
    "A diagnosis (personal data)",
    need(
        "Code",
        "code",
        TEXT_32,
        "医保版疾病诊断编码",
        "Code of the national list (医保版)",
        personal=True,
        sample="S82.201",
    ),
    need("Name", "name", TEXT_200, "诊断名称", "Name", personal=True, sample="胫骨干骨折"),
    need("Main", "main", BOOL, "是否主要诊断", "Whether it is the main diagnosis"),
)


DAY_SPAN: Final = shape(
    "DaySpan",
    DaySpan,
    "起止日期，首尾两日都算；TakenBack 为收回以前所报",
    "Days from first to last, both counted; TakenBack takes back what was told before",
    need("From", "first", DAY, "第一日", "First day", sample="2026-03-05"),
    need("To", "last", DAY, "最后一日", "Last day", sample="2026-03-06"),
    may("TakenBack", "taken_back", BOOL, "是否收回", "Whether it is taken back", rare=True),
)


PAYERS: Final = (
    need("Fund", "fund_fen", FEN, "工伤保险基金支付", "Borne by the fund", sample="20.00"),
    need("Employer", "employer_fen", FEN, "用人单位支付", "Borne by the employer", sample="0.00"),
    need("Individual", "individual_fen", FEN, "个人支付", "Borne by the person", sample="5.00"),
    need("Hospital", "hospital_fen", FEN, "医院承担", "Borne by the hospital", sample="0.00"),
    need(
        "Other",
        "other_fen",
        FEN,
        "其他（非工伤，基本医疗保险或自费）",
        "Basic insurance or the person, outside work injury",
        sample="0.00",
    ),
)

ADMISSION_ID: Final = need(
    "AdmissionId", "admission_id", NUMBER, "住院登记编号", "Registration", sample="A0001"
)
VISIT_NO: Final = need("VisitNo", "visit_no", NUMBER, "住院号", "The hospital's visit number")
HOSPITAL: Final = need("Hospital", "hospital", PARTY, "医院编号", "Hospital")

SPLIT: Final = shape(
    "Split",
    split_of,
    "金额在五方之间的分担",
    "An amount divided over the five payers",
    need("Total", "total_fen", FEN, "合计", "Total: the sum of the five", sample="25.00"),
    *PAYERS,
)

FINDING: Final = shape(
    "Finding",
    Finding,
    "一处问题",
    "One fault, complete enough to mend it",
    need(
        "Code",
        "code",
        WORD,
        "错误代码",
        "Error code (docs/errors.md)",
        sample="LINE_AMOUNT_MISMATCH",
    ),
    may("LineId", "line_id", TEXT_64, "明细行号", "Line id", sample="L0001"),
    may("Field", "field", TEXT_500, "字段路径", "Field", sample="Amount"),
    may(
        "Got",
        "got",
        SHOWN,
        "收到的值（个人信息不回显）",
        "What was got; never a personal value",
        sample="25.01",
    ),
    may("Expected", "expected", TEXT_2000, "应有的值", "What was expected", sample="25.00"),
    told("TextZh", lambda one: CODES[one.code].zh, TEXT_500, "中文说明", "The code in Chinese"),
    told("TextEn", lambda one: CODES[one.code].en, TEXT_500, "英文说明", "The code in English"),
    told("Who", lambda one: CODES[one.code].who, word.WHO, "由谁处理", "Who must act"),
    told(
        "Retry", lambda one: CODES[one.code].retry, word.RETRY, "可否重发", "Whether to send again"
    ),
    told(
        "Next",
        lambda one: CODES[one.code].next,
        TEXT_32,
        "接下来可用的命令",
        "Commands that make sense now",
        least=0,
        most=16,
        sample="fees.upload",
    ),
)

REASON: Final = shape(
    "Reason",
    lambda code: code,
    "结算原因",
    "Why a line is divided so",
    need("Code", "code", WORD, "原因代码", "Reason code", get=str, sample="OVER_CEILING"),
    told("TextZh", lambda code: REASONS[code].zh, TEXT_500, "中文说明", "The reason in Chinese"),
    told("TextEn", lambda code: REASONS[code].en, TEXT_500, "英文说明", "The reason in English"),
)

REASON_TABLE: Final = shape(
    "Reasons",
    lambda codes: codes,
    "原因表：明细所用的原因，按代码排序",
    "The reasons the lines use, sorted by code",
    many("Reason", "codes", REASON, "原因", "Reasons", least=1, most=64, get=tuple),
)

CITATION: Final = shape(
    "Citation",
    citation_row,
    "依据",
    "Where a number or decision comes from",
    need(
        "No", "number", CITATION_NO, "编号，从 1 起依次", "Its number, from 1 in order", sample="1"
    ),
    need(
        "Key",
        "key",
        TEXT_200,
        "政策参数或目录条目",
        "Key of policy, or a catalogue row",
        get=attrgetter("citation.key"),
        sample="catalogue/item/Z0001",
    ),
    may(
        "Value",
        "value",
        TEXT_500,
        "取值",
        "Its value",
        get=attrgetter("citation.value"),
        absent="",
        sample="甲",
    ),
    may(
        "Since",
        "since",
        TEXT_64,
        "自何日起",
        "The day it holds from",
        get=attrgetter("citation.since"),
        absent="",
        sample="2025-01-01",
    ),
    may(
        "Law",
        "law",
        TEXT_500,
        "条款",
        "Article or agreement clause",
        get=attrgetter("citation.law"),
        absent="",
        sample="工伤保险条例 第三十条第三款",
    ),
    may(
        "OurReading",
        "our_reading",
        BOOL,
        "条文未明言，系本网关的理解",
        "The text is silent: our reading",
        get=attrgetter("citation.our_reading"),
        rare=True,
    ),
    record=Citation,
)

CITATION_TABLE: Final = shape(
    "Citations",
    citations_of,
    "依据表：伙食补助与明细所用的依据，按首次使用的先后编号",
    "The citations of meal and lines, numbered in order of first use",
    many(
        "Citation",
        "rows",
        CITATION,
        "依据",
        "Citations",
        least=1,
        most=MOST_CITATIONS,
        get=citation_rows,
    ),
)

SUSPICION: Final = shape(
    "Suspicion",
    Suspicion,
    "审核疑点：须由人核实，不影响金额",
    "What an audit rule found: for a person to look at; it moves no money",
    need("Code", "code", word.AUDIT_CODE, "审核规则", "Audit rule", sample="A01"),
    told(
        "TextZh", lambda one: AUDIT_RULES[one.code].zh, TEXT_500, "中文说明", "The rule in Chinese"
    ),
    told(
        "TextEn", lambda one: AUDIT_RULES[one.code].en, TEXT_500, "英文说明", "The rule in English"
    ),
    told(
        "Basis", lambda one: AUDIT_RULES[one.code].basis, TEXT_500, "依据", "The text it rests on"
    ),
    need("Evidence", "evidence", TEXT_2000, "证据", "Evidence", sample="Z0001 2026-03-02 × 2"),
    many(
        "LineId",
        "line_ids",
        NUMBER,
        "明细行号；没有即指整个住院",
        "Lines; none is the whole stay",
        most=MOST_SUSPECT_LINES,
    ),
)

SUSPICION_TABLE: Final = shape(
    "Suspicions",
    lambda items: items,
    "审核疑点",
    "What the audit found",
    many(
        "Suspicion",
        "items",
        SUSPICION,
        "疑点",
        "Suspicions",
        least=1,
        most=MOST_SUSPICIONS,
        get=tuple,
    ),
)

CITED: Final = may(
    "Cites",
    "cites",
    CITES,
    "所依据的 Citations/Citation/No",
    "The No of each Citation in Citations it rests on",
    absent=(),
)

LINE_VERDICT: Final = shape(
    "LineVerdict",
    line_row,
    "一行明细的结算",
    "What was decided about one line",
    need("LineId", "line_id", NUMBER, "明细行号", "Line id", sample="L0001"),
    need("Amount", "amount_fen", FEN, "金额，等于五方之和", "Amount: the sum of the five payers"),
    *PAYERS,
    many(
        "Reason",
        "reasons",
        WORD,
        "原因代码，文字见 Reasons",
        "Reason codes; their texts stand in Reasons",
        most=MOST_REASONS,
        sample="OVER_CEILING",
    ),
    CITED,
    may(
        "Steps",
        "steps",
        STEPS,
        "计算步骤：A 所列金额，W 整行归一方后基金留存，P 限量内，E 限价内，F 按比例，"
        "L 逾期申请、参保前或欠缴期间基金留存；退费行为该笔退费后净额的步骤",
        "Steps: A charged, W kept by the fund of a line that one payer takes whole, P within the "
        "quantity limit, E within the ceiling, F at the ratio, L kept by the fund of a late "
        "application, of a day before cover or of a day in arrears; those of a refund are the "
        "pair's at the net quantity",
        absent=NO_STEPS,
    ),
    record=LineRow,
)

MEAL: Final = shape(
    "Meal",
    MealRow,
    "住院伙食补助费（不计入账单合计）",
    "The meal allowance; beside the bill, never part of its total",
    need("Days", "days", COUNT, "天数", "Days"),
    need("PerDay", "per_day_fen", FEN, "每日标准", "Rate per day"),
    need("Amount", "amount_fen", FEN, "金额", "Amount"),
    may(
        "Channel", "channel", TEXT_64, "支付渠道", "How it is paid", absent="", sample="随结算支付"
    ),
    CITED,
)


PAYEE_SHARE: Final = shape(
    "PayeeShare",
    PayeeShare,
    "一个收款方从基金得到的数额",
    "What one payee gets of the fund",
    need("Payee", "payee", word.PAYEE, "收款方", "Payee", sample="hospital"),
    need("Medical", "medical_fen", FEN, "医疗费", "Medical fees", sample="20.00"),
    need("Meal", "meal_fen", FEN, "住院伙食补助费", "Meal allowance", sample="0.00"),
)

PAYOUT: Final = shape(
    "Payout",
    PayoutRow,
    "拨付：各收款方之和等于基金支付的医疗费与伙食补助费",
    "Whom the fund pays; the shares add up to its medical fees and its meal allowance",
    many("Share", "shares", PAYEE_SHARE, "各收款方", "Payees", most=len(Payee)),
    need(
        "ThirdPartyPaid",
        "third_party_paid_fen",
        FEN,
        "第三人已付的可支付医疗费",
        "What a third party paid for eligible medical fees",
        sample="0.00",
    ),
    need(
        "TakenOff",
        "taken_off_fen",
        FEN,
        "其中从基金支付（全部改由用人单位承担的，从用人单位）减除、列入其他的部分",
        "The part of it taken off the fund's share, or the employer's where all of that moved to "
        "it, and borne by other",
        sample="0.00",
    ),
    need(
        "Recoverable",
        "recoverable_fen",
        FEN,
        "基金先行支付、可向第三人追偿的最高额",
        "What the fund advanced and may recover from the third party, at most",
        sample="0.00",
    ),
    CITED,
)


def _meaning(attribute: str, language: str) -> Callable[[Any], str | None]:
    """The sentence of the code a record carries in `attribute`, if it carries one."""

    def text(record: Any) -> str | None:
        code = getattr(record, attribute)
        return getattr(CODES[code], language) if code else None

    return text


def code_and_texts(wire: str, attribute: str, zh: str, en: str) -> tuple[Field, Field, Field]:
    """An optional code with its sentence in Chinese and English."""
    return (
        may(wire, attribute, WORD, zh, en, sample="OTHER", rare=True),
        told(
            "TextZh",
            _meaning(attribute, "zh"),
            TEXT_500,
            "代码的中文说明",
            "The code in Chinese",
            least=0,
        ),
        told(
            "TextEn",
            _meaning(attribute, "en"),
            TEXT_500,
            "代码的英文说明",
            "The code in English",
            least=0,
        ),
    )


SETTLEMENT: Final = shape(
    "Settlement",
    unpacked,
    "结算结果：预结算、结算、挂账、撤销（金额为负）或补差（金额为差额）",
    "A computed, settled, held or reversed bill, or a delta; a reversal has negative amounts",
    ADMISSION_ID,
    need(
        "BillState",
        "bill_state",
        word.BILL_STATE,
        "账单状态",
        "State of the bill",
        sample="SETTLED",
    ),
    may(
        "SettlementId",
        "settlement_id",
        NUMBER,
        "结算编号；预结算没有",
        "Settlement id; a preview has none",
        sample="S0001",
    ),
    may("BillNo", "bill_no", NUMBER, "医院票据号", "The hospital's bill number", sample="B0001"),
    may(
        "Reverses",
        "reverses",
        NUMBER,
        "被撤销的结算编号",
        "Settlement this reverses",
        sample="S0000",
        rare=True,
    ),
    may(
        "Reinstates",
        "reinstates",
        NUMBER,
        "被恢复的结算编号",
        "Settlement this reinstates",
        sample="S0000",
        rare=True,
    ),
    may(
        "Adjusts",
        "adjusts",
        NUMBER,
        "被补差的结算编号；补差只列有变化的明细，金额为差额，可正可负",
        "Settlement this delta adjusts: only the lines that differ, with signed differences",
        sample="S0000",
        rare=True,
    ),
    may("VisitNo", "visit_no", NUMBER, "住院号", "The hospital's visit number"),
    may("Hospital", "hospital", PARTY, "医院编号", "Hospital"),
    may("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001"),
    may(
        "DecisionNo",
        "decision_no",
        TEXT_64,
        "认定决定书文号",
        "Number of the recognition decision",
        sample="示例认定2026-0001",
    ),
    may("SettledAt", "settled_at", INSTANT, "结算时刻", "When it was settled"),
    may("BusinessDay", "business_day", DAY, "记账日", "Day of the books"),
    may("AdmittedAt", "admitted_at", INSTANT, "入院时刻", "Admission"),
    may("DischargedAt", "discharged_at", INSTANT, "出院时刻", "Discharge"),
    need("Split", "split", SPLIT, "五方分担合计", "Who bears the bill"),
    may("Meal", "meal", MEAL, "住院伙食补助费", "Meal allowance"),
    may(
        "Payout",
        "payout",
        PAYOUT,
        "拨付：基金付给谁、各付多少",
        "Payout: whom the fund pays, and how much each",
    ),
    may(
        "LiableEmployer",
        "liable_employer",
        NUMBER,
        "承担工伤保险责任的用人单位，单位支付由其承担",
        "Employer that is liable and bears the employer's share",
        sample="E0001",
    ),
    may(
        "Grounds",
        "grounds",
        CITES,
        "整单依据的编号",
        "Numbers of the citations that concern the whole bill",
        absent=(),
        rare=True,
    ),
    may("RulesVersion", "rules_version", TEXT_64, "规则版本", "Version of the rules", sample="1"),
    may("PolicyDigest", "policy_digest", DIGEST, "政策版本摘要", "Digest of the policy"),
    many(
        "EditionDigest",
        "edition_digests",
        DIGEST,
        "目录版本摘要",
        "Digests of the catalogues",
        most=64,
    ),
    may("Hold", "hold", word.HOLD, "挂账原因", "Why the bill is held", rare=True),
    may("HoldKey", "hold_key", TEXT_200, "缺值的政策参数", "Policy key without a value", rare=True),
    may("HoldDay", "hold_day", DAY, "缺值的日期", "Day without a value", rare=True),
    *code_and_texts("Code", "code", "结果代码", "Code of the outcome"),
    may("Note", "note", TEXT_2000, "说明", "Note", rare=True),
    may(
        "Reasons",
        "reasons",
        REASON_TABLE,
        "原因表，有原因时必有",
        "Table of reasons; there whenever a line has one",
        absent=(),
    ),
    may(
        "Citations",
        "citations",
        CITATION_TABLE,
        "依据表，有依据时必有",
        "Table of citations; there whenever one is cited",
        absent=(),
    ),
    may(
        "Suspicions",
        "suspicions",
        SUSPICION_TABLE,
        "审核疑点，有疑点时才有",
        "Suspicions of the audit; there only when there is one",
        absent=(),
        rare=True,
    ),
    many("Line", "lines", LINE_VERDICT, "明细", "Lines", most=MOST_BILL_LINES),
    record=Settlement,
    pack=packed,
)

ACKNOWLEDGED: Final = shape(
    "Acknowledged",
    Acknowledged,
    "已办理或已收到",
    "Done, or received",
    may("Subject", "subject", TEXT_200, "所办事项的编号", "What it was done to", sample="A0001"),
    may("State", "state", WORD, "现在的状态", "Its state now", sample="CONFIRMED"),
)

REFUSED: Final = shape(
    "Refused",
    Refused,
    "未办理，列出全部原因",
    "Not done; every reason at once",
    many("Finding", "findings", FINDING, "问题", "Findings", most=1000),
)

TRANSACTION_FOUND: Final = shape(
    "TransactionFound",
    TransactionFound,
    "网关对一份报文所知",
    "What the gateway knows of a message",
    need(
        "State",
        "state",
        WORD,
        "状态，如 NOT_SEEN、APPLIED",
        "State such as NOT_SEEN, APPLIED",
        sample="APPLIED",
    ),
    may("Command", "command", COMMAND, "该报文的命令", "Its command", sample="settlement.commit"),
    may("Digest", "digest", DIGEST, "该报文的摘要", "Its digest"),
    may(
        "StoredReply",
        "stored_reply",
        BYTES,
        "原答复的签名原文",
        "The exact signed bytes of its reply",
    ),
    may(
        "BillState", "bill_state", WORD, "账单现在的状态", "State of the bill now", sample="SETTLED"
    ),
    may(
        "OutcomeMessageId",
        "outcome_message_id",
        MESSAGE_ID,
        "后续结果报文的编号",
        "Message that told the later outcome",
        rare=True,
    ),
    may(
        "UndoneBy", "undone_by", MESSAGE_ID, "撤销它的报文编号", "Message that undid it", rare=True
    ),
)

REVERSED: Final = shape(
    "TransactionReversed",
    Reversed,
    "冲正的效果",
    "What a reversal did",
    need(
        "TargetMessageId", "target_message_id", MESSAGE_ID, "被冲正报文的编号", "Message reversed"
    ),
    need(
        "Effect",
        "effect",
        WORD,
        "效果：撤销或占用编号",
        "Effect: undone, or the id fenced",
        sample="UNDONE",
    ),
    may("By", "by", MESSAGE_ID, "由哪份报文撤销", "Message that undid it"),
    may(
        "Settlement",
        "settlement",
        SETTLEMENT,
        "撤销所生的结算",
        "The settlement the reversal made",
        rare=True,
    ),
)

SUPERSEDED: Final = shape(
    "Superseded",
    Superseded,
    "原结果已被撤销或冲正",
    "The first outcome was undone since",
    need("SupersededBy", "by", MESSAGE_ID, "由哪份报文撤销", "Message that undid it"),
    need("State", "state", WORD, "现在的状态", "State now", sample="OPEN"),
    need(
        "StoredReply",
        "stored_reply",
        BYTES,
        "原答复的签名原文",
        "The exact signed bytes of the first reply",
    ),
)

INBOX_MESSAGE: Final = shape(
    "InboxMessage",
    InboxMessage,
    "收件箱中的一份报文",
    "One message waiting",
    need("MessageId", "message_id", MESSAGE_ID, "报文编号", "Message id"),
    need("LaneSeq", "lane_seq", LANE_SEQ, "该收件方的序号", "Its number in the receiver's lane"),
    need("Sealed", "sealed", BYTES, "签名原文", "Its exact signed bytes"),
    may(
        "LogReceipt",
        "log_receipt",
        BYTES,
        "签名原文的存证证明（JSON），已有检查点覆盖时给出",
        "What proves that these bytes are in the log (JSON), once a checkpoint covers them",
    ),
)

INBOX_PULLED: Final = shape(
    "InboxPulled",
    InboxPulled,
    "收件箱内容",
    "Messages waiting",
    many("Message", "messages", INBOX_MESSAGE, "报文", "Messages", most=INBOX_PAGE),
    need("More", "more", BOOL, "是否还有", "Whether more wait"),
)

INBOX_ACKNOWLEDGED: Final = shape(
    "InboxAcknowledged",
    InboxAcknowledged,
    "已确认收到",
    "Receipts taken",
    need("Count", "acknowledged", COUNT, "确认的份数", "How many"),
    many("Finding", "findings", FINDING, "未能确认的报文", "Receipts not taken", most=MOST_LINES),
)

ADMISSION_CHANGED: Final = shape(
    "AdmissionChanged",
    AdmissionChanged,
    "住院登记状态变更通知",
    "A registration's state changed after its reply",
    ADMISSION_ID,
    VISIT_NO,
    HOSPITAL,
    need("State", "state", word.ADMISSION_STATE, "状态", "State", sample="CONFIRMED"),
    *code_and_texts("Refusal", "refusal", "拒绝代码", "Refusal code"),
    may("CaseNo", "case_no", NUMBER, "工伤案件号", "Case", sample="C0001"),
    may("Note", "note", TEXT_2000, "说明", "Note", rare=True),
)

QUERY_TRANSACTION: Final = shape(
    "QueryTransaction",
    QueryTransaction,
    "查询一份报文的结果",
    "Ask what became of a message",
    need(
        "TargetMessageId", "target_message_id", MESSAGE_ID, "所查报文的编号", "Message asked about"
    ),
)

REVERSE_TRANSACTION: Final = shape(
    "ReverseTransaction",
    ReverseTransaction,
    "冲正：撤销一份报文的效果，或占用其编号以防迟到",
    "Undo what a message did, or fence an id that may still arrive",
    need("TargetMessageId", "target_message_id", MESSAGE_ID, "原报文编号", "Original message"),
    need(
        "TargetCommand",
        "target_command",
        COMMAND,
        "原报文命令",
        "Its command",
        sample="settlement.commit",
    ),
    may("TargetDigest", "target_digest", DIGEST, "原报文摘要", "Its digest"),
    need("Reason", "reason", TEXT_200, "原因", "Reason", sample="收费处结果未知"),
)

PULL_INBOX: Final = shape(
    "PullInbox",
    PullInbox,
    "取收件箱",
    "Take what waits in the inbox",
    need(
        "Limit", "limit", count_up_to("InboxLimit", INBOX_PAGE, 1), "至多几份", "At most how many"
    ),
)

RECEIPT: Final = shape(
    "Receipt",
    lambda message_id, digest: (message_id, digest),
    "收讫",
    "A receipt",
    need("MessageId", "message_id", MESSAGE_ID, "报文编号", "Message id", get=itemgetter(0)),
    need(
        "Digest",
        "digest",
        DIGEST,
        "所收报文的摘要",
        "Digest of what was received",
        get=itemgetter(1),
    ),
)

ACK_INBOX: Final = shape(
    "AckInbox",
    AckInbox,
    "确认收到",
    "Receipts for messages taken",
    many("Receipt", "receipts", RECEIPT, "收讫", "Receipts", least=1, most=MOST_LINES),
)


def changing(command: str, request: Shape, *replies: Shape) -> Exchange:
    """A changing command: it may be refused, or answered again after it was undone."""
    return Exchange(command, request, (*replies, REFUSED, SUPERSEDED))


def reading(command: str, request: Shape, reply: Shape) -> Exchange:
    """A read, query or pull: answered afresh each time."""
    return Exchange(command, request, (reply, REFUSED))


def notice(command: str, body: Shape) -> Exchange:
    """What the gateway announces; the receiver answers with its signed receipt."""
    return Exchange(command, body, (ACKNOWLEDGED, REFUSED), notice=True)
