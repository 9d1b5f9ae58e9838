"""个人信息清单 Which columns hold personal data, what for, on what ground and how long.

个人信息保护法 第六条（最小必要）、第十九条（保存期限最短）、第五十一条. A column in neither list
fails a test: whoever adds one says here what it holds. `docs/personal-data.md` is rendered from
this.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kept(StrEnum):
    """How the column holds it."""

    SEALED = "加密，每条记录一把密钥 sealed under a key of its record"
    TAG = "以库外密钥计算的 HMAC an HMAC under a key outside the database"
    APART = "明文，只凭内部编号与人相连 in clear, tied to a person by an internal id alone"
    STAFF = "明文，工作人员在职务中的姓名 in clear, names of staff at their work"


class Ground(StrEnum):
    """Why it may be held: what for, and the text that says so."""

    IDENTIFY = "核对身份 to know the worker：社会保险经办条例 第七条"
    SETTLE = "审核并支付工伤医疗费 to decide and pay fees：工伤保险条例 第三十条、第四十七条"
    PROVE = "证明谁在何时说了什么 to prove who said what：社会保险业务档案管理规定（试行）"
    ACCOUNT = "追究责任 to hold acts to account：网络安全法 第二十一条；个人信息保护法 第五十四条"
    RECONCILE = "与医院对账 to agree the day's books with hospitals：工伤保险条例 第四十七条"


class Retention(StrEnum):
    """How long: what ends it."""

    TERM = "保管期满经 purge 销毁密钥 to the end of the term, then its key is destroyed"
    POINTER = "随账留存，清除后不再指向任何人 with the books; after a purge it leads to nobody"
    FOUND = "保管期满即删除 deleted when the person is purged"
    DUTY = "随所记之事留存 as long as what it accounts for"


@dataclass(frozen=True, slots=True)
class Personal:
    """Columns of one table that hold the same kind of personal data."""

    table: str
    columns: str
    what: str
    kept: Kept
    ground: Ground
    retention: Retention


_S, _A, _ST = Kept.SEALED, Kept.APART, Kept.STAFF
_TERM, _POINTER, _DUTY = Retention.TERM, Retention.POINTER, Retention.DUTY
_SETTLE, _PROVE, _ACCOUNT = Ground.SETTLE, Ground.PROVE, Ground.ACCOUNT

PERSONAL: Final = (
    Personal("person", "id_no", "身份证号 identity number", _S, Ground.IDENTIFY, _TERM),
    Personal("person", "name", "姓名 name", _S, Ground.IDENTIFY, _TERM),
    Personal("person", "card_no", "社会保障卡号 social-security card", _S, Ground.IDENTIFY, _TERM),
    Personal("person", "phone", "电话 telephone", _S, Ground.IDENTIFY, _TERM),
    Personal("person", "card_lost", "卡是否挂失 card reported lost", _A, Ground.IDENTIFY, _POINTER),
    Personal(
        *("person_index", "tag", "身份证号的检索标记 look-up tag of the number"),
        *(Kept.TAG, Ground.IDENTIFY, Retention.FOUND),
    ),
    Personal(
        *("work_case", "detail", "伤情、诊断、单位、报案人 injury, diagnoses, employer, reporter"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal(
        "work_case",
        "employer_no injured_on third_party traffic_accident relation_ended_on diagnosed_on",
        "事故与劳动关系的事实 facts of the accident and the employment",
        *(_A, _SETTLE, _POINTER),
    ),
    Personal(
        *("case_fact", "content", "审批、停工留薪期、停止待遇 approvals, paid leave, stops"),
        *(_A, _SETTLE, _POINTER),
    ),
    Personal(
        *("admission", "detail", "诊断、科室、医师、床位 diagnoses, department, doctor, bed"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal(
        *("admission", "visit_no admitted_us discharged_us", "就诊号与日期 visit and its days"),
        *(_A, _SETTLE, _POINTER),
    ),
    Personal(
        *("bill_line", "code name detail", "诊疗、药品、医师 treatment, medicines, doctor"),
        *(_A, _SETTLE, _POINTER),
    ),
    Personal(
        *("settlement", "detail", "结算所依事实与结论 facts and verdict"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal("cut", "detail", "扣减的事实与陈述 facts and statements of a cut", _S, _SETTLE, _TERM),
    Personal(
        *("readjudication", "detail reason", "重审的前后结论与理由 both verdicts, reasons"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal(
        *("readjudication", "proposed_by decided_by", "提出人、决定人 who proposed, who decided"),
        *(_ST, _ACCOUNT, _DUTY),
    ),
    Personal(
        *("application", "detail", "申请事项、诊断、意见 what is applied for, diagnoses, opinion"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal(
        *("application_answer", "reason", "答复理由 reasons of the answer"),
        *(_S, _SETTLE, _TERM),
    ),
    Personal(
        *("message", "request reply", "签名报文原文 exact bytes of signed messages"),
        *(_S, _PROVE, _TERM),
    ),
    Personal(
        *("outbox", "sealed receipt", "外发（含死信）报文原文 bytes sent, dead letters among them"),
        *(_S, _PROVE, _TERM),
    ),
    Personal(
        *("leaf", "salts effect", "日志叶的盐与所改各行 salts and changed rows of a leaf"),
        *(_S, _PROVE, _TERM),
    ),
    Personal("audit", "reason", "办理理由 reasons of an act", _S, _ACCOUNT, _TERM),
    Personal(
        *("reconcile_run", "detail", "对账双方明细（含身份证号）both books, numbers among them"),
        *(_S, Ground.RECONCILE, _TERM),
    ),
    Personal("purge", "reason", "清除的理由 reasons of a purge", _S, _ACCOUNT, _DUTY),
    Personal(
        *("log_head", "proposed_by", "新日志的提出人 who proposed to open a new log"),
        *(_ST, _ACCOUNT, _DUTY),
    ),
    Personal(
        *("log_origin", "opened_by", "启用日志的人 who opened the log"), *(_ST, _ACCOUNT, _DUTY)
    ),
    Personal("purge", "asked_by confirmed_by", "申请人、确认人 both persons", _ST, _ACCOUNT, _DUTY),
)

_PERSON_ID: Final = ("admission", "person", "person_index", "purge", "settlement", "work_case")
"""Tables with the internal id of a person: random, and it leads to nobody after a purge."""

IMPERSONAL: Final = {
    "admission": "admission_id version hospital live case_no state refusal treatment emergency "
    "approval_no registered_us late confirmed_by_agency message_id discharge_message_id bill_state "
    "line_count amount_fen bill_no hold_reason hold_key hold_day ever_held commit_message_id "
    "paid_by code unseen",
    "application": "application_id hospital case_no admission_id kind applied_on wanted_from "
    "wanted_to transferred_on message_id",
    "application_answer": "application_id state granted approval_no answered_on",
    "audit": "tx_id seq at_us actor action subject from_state to_state code decided_on",
    "bill_line": "admission_id line_id occurred_us service_day quantity price amount_fen refund_of "
    "relation consent consent_on violation reviewed",
    "case_fact": "subject kind fact_no at_us",
    "catalogue_edition": "digest region kind valid_from valid_to imported_us content live",
    "checkpoint": "log size note",
    "commit_probe": "probe at_us",
    "cosignature": "log size witness at_us line",
    "cut": "cut_no version admission_id hospital settlement_id state violation rule amount_fen "
    "upheld_fen posted_fen raised_us noticed_on answer_by heard_on decided_us",
    "lane": "receiver last_seq",
    "lane_lock": "receiver",
    "leaf": "tx_id kind sender receiver message_id received_us assurance signer request_commitment "
    "reply_commitment effect_commitment leaf_hash leaf_index",
    "log_head": "name log size stopped evidence",
    "log_origin": "log origin public_key first_index follows opened_us",
    "mandate": "mandate_id version carrier hospital commands valid_from valid_to revoked_from",
    "mapping": "hospital hospital_code valid_from valid_to version state code kind hospital_name "
    "spec unit price reason",
    "mapping_book": "hospital version",
    "mapping_history": "hospital hospital_code valid_from version content cause at_us",
    "message": "sender message_id command digest state code subject effect undone_by tx_id "
    "received_us",
    "outbox": "message_id receiver subject command digest channel state lane_seq created_us "
    "position attempts next_us done_us last_error tx_id in_reply_to",
    "party": "party_id version kind name region county level agreement_from agreement_to "
    "suspended_from capabilities callback_url",
    "party_key": "fingerprint party_id version purpose state certificate_pem valid_from_us "
    "valid_to_us changed_us",
    "person": "version",
    "person_index": "",
    "policy_edition": "digest region stored_us content",
    "purge": "purge_id state asked_us confirmed_us",
    "readjudication": "proposal_id version state open kept settlement_id follows admission_id "
    "hospital case_no cause correction outcome untold acts cuts_hospital needs_ground line_count "
    "fund_fen employer_fen individual_fen hospital_fen other_fen meal_fen proposed_us decided_us "
    "delta_id basis",
    "reconcile_run": "run_id hospital day kind at_us matched differences",
    "release_job": "job_id admission_id cause state created_us done_us",
    "settlement": "settlement_id admission_id hospital kind state live reverses reinstates adjusts "
    "follows bill_no case_no settled_us business_day line_count total_fen fund_fen employer_fen "
    "individual_fen hospital_fen other_fen meal_fen rules_version policy_digest edition_digests "
    "message_id meal_days",
    "tile": "log level place hashes",
    "transfer": "tx_id seq subject debit credit amount_fen business_day",
    "undo": "effect sender message_id by_sender by_message_id command at_us",
    "work_case": "case_no version state reported_us channel insured_at_injury litigation disputed "
    "applied_on applied_by accepted_on decided_on decision_no authority application_extended_to "
    "supplement_by",
}
"""Columns of institutions, amounts, states and of ids that by themselves name nobody."""


def listed(table: str) -> list[str]:
    """Every column of the table that one of the lists names."""
    own = [name for one in PERSONAL if one.table == table for name in one.columns.split()]
    internal = ["person_id"] if table in _PERSON_ID else []
    keys = ["key_id"] if table == "person_index" else []
    return [*own, *IMPERSONAL.get(table, "").split(), *internal, *keys]
