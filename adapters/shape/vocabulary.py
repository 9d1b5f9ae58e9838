"""代码表 The closed lists on the wire: each word of the domain with its meaning."""

from typing import Final

from adapters.shape.kinds import listed, one_of
from gateway.domain.admission import (
    AdmissionRefusal,
    AdmissionState,
    BillState,
    HoldReason,
    PaidAtDischargeBy,
)
from gateway.domain.application import ApplicationState
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import Payee, Relation
from gateway.domain.case import (
    Applicant,
    ApprovalKind,
    AuthorityKind,
    CaseState,
    Channel,
    EmployerRole,
    EmploymentTie,
    Grade,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.catalogue import InsuranceLimit, Kind, Level
from gateway.domain.codes import CODES, Outcome, Retry, Who
from gateway.domain.cut import CutOutcome, CutState
from gateway.domain.mapping import MappingState
from gateway.domain.payments import PriorPayer
from gateway.domain.readjudication import Actor, Cause, ProposalState
from gateway.domain.reasons import VIOLATIONS
from gateway.domain.split import SIGNERS

OUTCOME: Final = one_of(
    "Outcome",
    Outcome,
    {
        "APPLIED": ("已办理", "applied"),
        "REFUSED": ("已拒绝", "refused"),
        "NOT_PROCESSED": ("未办理", "not processed"),
        "ANSWERED": ("已答复", "answered"),
    },
)
WHO: Final = one_of(
    "Who",
    Who,
    {
        "nobody": ("无需处理", "nobody"),
        "hospital": ("医院", "the hospital"),
        "his_vendor": ("HIS 厂商", "the vendor of the HIS"),
        "agency": ("经办机构", "the agency"),
        "operator": ("网关运维", "the operator of the gateway"),
    },
)
RETRY: Final = one_of(
    "Retry",
    Retry,
    {
        "never": ("勿再发送", "do not send again"),
        "same_message": ("可重发原报文", "send the same message again"),
        "new_message": ("更正后以新编号发送", "correct it and send under a new id"),
    },
)
CREDENTIAL: Final = listed(
    "Credential",
    {
        "ID_DOCUMENT": ("身份证件", "identity document"),
        "SOCIAL_SECURITY_CARD": ("社会保障卡或电子社保卡", "social-security card, also electronic"),
        "MEDICAL_E_CREDENTIAL": (
            "医保电子凭证（不能作为工伤保险凭证，一律拒绝）",
            "medical e-credential (no work-injury credential: always refused)",
        ),
    },
)
TREATMENT: Final = one_of(
    "TreatmentKind",
    TreatmentKind,
    {
        "INPATIENT": ("住院治疗", "in-patient treatment"),
        "REHABILITATION": ("住院康复", "in-patient rehabilitation"),
        "RELAPSE": ("旧伤复发住院", "relapse"),
        "DEVICE": ("配置辅助器具", "fitting of an assistive device"),
    },
)
ADMISSION_STATE: Final = one_of(
    "AdmissionState",
    AdmissionState,
    {
        "RECEIVED": ("已收到", "received"),
        "PENDING_CHECK": ("待经办机构核对", "waits for the agency's check"),
        "CONFIRMED": ("已确认", "confirmed"),
        "REFUSED": ("已拒绝", "refused"),
        "HELD": ("挂起，待工伤认定", "held until the case is decided"),
        "CANCELLED": ("已撤销", "cancelled"),
        "CLOSED": ("已出院", "closed by discharge"),
    },
)
REFUSAL: Final = one_of(
    "AdmissionRefusal",
    AdmissionRefusal,
    {each.value: (CODES[each.value].zh, CODES[each.value].en) for each in AdmissionRefusal},
)
CAUSE: Final = one_of(
    "Cause",
    Cause,
    {
        "CASE": ("案件的决定或事实", "a decision or fact of the case"),
        "CATALOGUE": ("目录或价格", "catalogue or price"),
        "POLICY": ("政策取值", "a value of the policy"),
        "PAYMENT": ("结算后报告的先前支付", "a prior payment reported after settlement"),
        "CUT": ("扣减的复核决定", "the final decision on a cut"),
    },
)
ACTOR: Final = one_of(
    "Actor",
    Actor,
    {
        "AGENCY": ("经办机构", "the agency"),
        "OPERATOR": ("网关运维", "the operator of the gateway"),
    },
)
PROPOSAL_STATE: Final = one_of(
    "ProposalState",
    ProposalState,
    {
        "TOUCHED": ("更正涉及该结算，尚未重算", "touched by a correction, not computed yet"),
        "PROPOSED": ("已提出，待批准", "proposed, waits for approval"),
        "APPROVED": ("已批准并补差", "approved, its delta posted"),
        "REJECTED": ("已驳回", "rejected"),
        "STALE": ("已失效", "stale: the facts changed again"),
        "BY_HAND": (
            "网关不能重算，须由人办理（Note 写明原因，Acts 写明谁办）",
            "not computable: a person has to see to it (Note says why, Acts who)",
        ),
        "CLOSED": ("不能重算的已由人办结", "what was not computable is closed by a person"),
    },
)
BILL_STATE: Final = one_of(
    "BillState",
    BillState,
    {
        "OPEN": ("未结算", "open"),
        "SETTLED": ("已结算", "settled"),
        "HELD": ("挂账", "held"),
        "REFUSED": ("已拒绝", "refused"),
        "MANUAL": ("转手工报销", "to be settled by hand"),
    },
)
HOLD: Final = one_of(
    "HoldReason",
    HoldReason,
    {
        "CASE_UNDECIDED": ("工伤认定未决", "the case is undecided"),
        "PENDING_CHECK": ("登记待核对", "the registration waits for its check"),
        "ARREARS": ("用人单位欠缴", "the employer is in arrears"),
        "APPROVAL": ("缺少审批", "an approval is missing"),
        "THIRD_PARTY": ("涉及第三人", "a third party is involved"),
        "PRIOR_PAYMENT": (
            "先前支付待报告、待退还或待分清",
            "a prior payment must be reported, given back or told apart",
        ),
        "AUDIT": ("稽核中", "under audit"),
        "LINES_IN_REVIEW": ("明细待判定", "lines wait for a decision"),
        "POLICY_GAP": ("政策缺少取值", "the policy has no value"),
    },
)
PAID_BY: Final = one_of(
    "PaidAtDischargeBy",
    PaidAtDischargeBy,
    {
        "nobody": ("尚未支付", "nobody yet"),
        "employer": ("用人单位垫付", "the employer"),
        "individual": ("个人垫付", "the person"),
    },
)
PRIOR_PAYER: Final = one_of(
    "PriorPayer",
    PriorPayer,
    {
        "basic_insurance": ("基本医疗保险基金", "basic medical insurance"),
        "third_party": ("第三人", "a third party"),
        "employer": ("用人单位", "the employer"),
        "individual": ("工伤职工", "the worker"),
    },
)
PAYEE: Final = one_of(
    "Payee",
    Payee,
    {
        "hospital": ("医疗机构", "the hospital"),
        "basic_insurance": ("基本医疗保险基金（退还）", "basic medical insurance, given back"),
        "employer": ("用人单位", "the employer"),
        "individual": ("工伤职工", "the worker"),
    },
)
RELATION: Final = one_of(
    "Relation",
    Relation,
    {
        "injury": ("治疗工伤", "treats the injury"),
        "unrelated": ("与工伤无关", "does not treat the injury"),
        "undetermined": ("待判定", "not determined yet"),
    },
)
SIGNER: Final = one_of(
    "Signer",
    SIGNERS,
    {"employer": ("用人单位", "the employer"), "individual": ("工伤职工", "the worker")},
)
LINE_STATUS: Final = listed(
    "LineStatus",
    {
        "accepted": ("已接收", "accepted"),
        "unchanged": ("与已有内容相同", "unchanged"),
        "replaced": ("已替换", "replaced"),
        "rejected": ("已拒收", "rejected"),
    },
)
CASE_STATE: Final = one_of(
    "CaseState",
    CaseState,
    {
        "REPORTED": ("已报告", "reported"),
        "APPLIED": ("已申请认定", "recognition applied for"),
        "SUPPLEMENTING": ("补正材料", "documents being supplied"),
        "ACCEPTED": ("已受理", "accepted"),
        "SUSPENDED": ("中止", "suspended"),
        "RECOGNISED": ("认定工伤", "recognised"),
        "DEEMED": ("视同工伤", "deemed a work injury"),
        "NOT_RECOGNISED": ("不予认定", "not recognised"),
        "NOT_ACCEPTED": ("不予受理", "not accepted"),
        "TERMINATED": ("终止", "terminated"),
        "REVOKED": ("撤销决定", "the decision is revoked"),
    },
)
THIRD_PARTY: Final = one_of(
    "ThirdParty",
    ThirdParty,
    {
        "NONE": ("无第三人", "none"),
        "SUSPECTED": ("疑似", "suspected"),
        "CONFIRMED_PAID": ("第三人已支付", "confirmed and paid"),
        "CONFIRMED_UNPAID": ("第三人未支付", "confirmed and unpaid"),
        "UNKNOWN_PARTY": ("无法确定第三人", "the party cannot be found"),
    },
)
APPLICANT: Final = one_of(
    "Applicant",
    Applicant,
    {
        "EMPLOYER": ("用人单位", "employer"),
        "WORKER": ("职工本人", "worker"),
        "KIN": ("近亲属", "next of kin"),
        "UNION": ("工会组织", "trade union"),
    },
)
GRADE: Final = one_of(
    "Grade",
    Grade,
    {
        "ONE_TO_FOUR": ("一级至四级", "grades 1 to 4"),
        "FIVE_TO_TEN": ("五级至十级", "grades 5 to 10"),
        "NONE": ("未构成伤残等级", "no grade"),
    },
)
EMPLOYMENT_TIE: Final = one_of(
    "EmploymentTie",
    EmploymentTie,
    {
        "SUCCESSION": ("分立、合并、转让后承继", "took over after a division, merger or transfer"),
        "SECONDMENT": ("借调", "secondment"),
        "DISPATCH": ("劳务派遣", "dispatch"),
        "SEVERAL": ("同时在多个用人单位就业", "several employers at once"),
    },
)
EMPLOYER_ROLE: Final = one_of(
    "EmployerRole",
    EmployerRole,
    {
        "ORIGINAL": ("借调的原用人单位", "the employer that lent the worker"),
        "SUCCESSOR": ("承继单位", "the successor"),
        "HOST": ("借调、派遣的用工单位", "the host of a secondment or dispatch"),
        "DISPATCHER": ("劳务派遣单位", "the dispatcher"),
        "AT_INJURY": ("受伤时工作的单位", "where the worker worked when injured"),
    },
)
CHANNEL: Final = one_of(
    "Channel",
    Channel,
    {
        "TELEPHONE": ("电话", "telephone"),
        "WEB": ("网络", "web"),
        "WINDOW": ("窗口", "counter"),
        "OTHER": ("其他", "other"),
    },
)
AUTHORITY: Final = one_of(
    "AuthorityKind",
    AuthorityKind,
    {
        "AGENCY": ("社会保险经办机构", "the social insurance agency"),
        "ASSESSMENT_COMMITTEE": (
            "劳动能力鉴定委员会",
            "the committee for assessing the ability to work",
        ),
    },
)
APPROVAL: Final = one_of(
    "ApprovalKind",
    ApprovalKind,
    {
        "REFERRAL": ("转诊转院", "referral"),
        "REMOTE_RESIDENCE": ("异地居住就医", "treatment at a remote residence"),
        "CROSS_PROVINCE": ("跨省异地就医备案", "cross-province filing"),
        "REHABILITATION": ("工伤康复", "rehabilitation"),
        "RELAPSE": ("旧伤复发", "relapse"),
        "DEVICE": ("辅助器具", "assistive device"),
        "PAID_LEAVE_EXTENSION": ("延长停工留薪期", "extension of the paid leave"),
        "EMERGENCY": ("急诊就近就医", "emergency at the nearest hospital"),
        "EMERGENCY_ITEM": ("抢救用目录外项目", "item outside the catalogue for rescue"),
    },
)
APPLICATION_STATE: Final = one_of(
    "ApplicationState",
    ApplicationState,
    {
        "APPLIED": ("已申请，待决定", "waits for its decision"),
        "DECIDED": ("已决定", "decided"),
        "CANCELLED": ("已撤回", "cancelled by the hospital"),
    },
)
MAPPING_STATE: Final = one_of(
    "MappingState",
    MappingState,
    {
        "PENDING": ("待经办机构审核", "waits for the agency's review"),
        "ACCEPTED": ("已通过", "accepted"),
        "REFUSED": ("未通过", "refused"),
        "WITHDRAWN": ("已撤回", "withdrawn by the hospital"),
    },
)
CATALOG: Final = one_of(
    "CatalogKind",
    Kind,
    {
        "drug": ("药品", "drugs"),
        "item": ("诊疗项目", "treatment items"),
        "material": ("医用材料", "materials"),
        "facility": ("服务设施", "service facilities"),
    },
)
LEVEL: Final = one_of(
    "Level",
    Level,
    {
        "tertiary": ("三级", "tertiary"),
        "secondary": ("二级", "secondary"),
        "primary": ("一级及以下", "primary"),
    },
)
LIMIT: Final = one_of(
    "InsuranceLimit",
    InsuranceLimit,
    {
        "none": ("无限定", "no limit"),
        "work_injury": ("限工伤保险", "work-injury insurance only"),
        "maternity": ("限生育保险", "maternity insurance only"),
        "conditional": ("有其他限定条件", "under other conditions"),
    },
)
VIOLATION: Final = listed(
    "Violation",
    {
        "DUPLICATE_CHARGE": ("重复收费", "charged twice"),
        "NO_ORDER": ("无医嘱收费", "charged without an order"),
        "OVER_FREQUENCY": ("超频次收费", "charged too often"),
        "HANGING_BED": ("挂床住院", "a bed that was not slept in"),
        "SPLIT_STAY": ("分解住院", "one stay split in two"),
    },
)
if set(VIOLATION.words) != VIOLATIONS:
    raise ValueError("each violation of the domain has a word on the wire")
CUT_STATE: Final = one_of(
    "CutState",
    CutState,
    {
        "PROPOSED": ("拟扣，通知待送达", "proposed; its notice is not served yet"),
        "NOTICED": ("已送达，待陈述申辩", "noticed; the hospital may answer"),
        "ANSWERED": ("已陈述申辩，待复核", "answered; waits for the final decision"),
        "UNANSWERED": ("期满未答复，待复核", "not answered in time; waits for the final decision"),
        "UPHELD": ("维持", "upheld"),
        "WITHDRAWN": ("撤回", "withdrawn"),
    },
)
CUT_OUTCOME: Final = one_of(
    "CutOutcome",
    CutOutcome,
    {
        "UPHELD": ("维持", "upheld"),
        "REDUCED": ("部分维持", "upheld on some of its lines"),
        "WITHDRAWN": ("撤回", "withdrawn"),
    },
)
AUDIT_CODE: Final = listed(
    "AuditCode", {code: (rule.zh, rule.en) for code, rule in AUDIT_RULES.items()}
)
