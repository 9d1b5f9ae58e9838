"""结算单用语 The words of the sheet in Chinese and English."""

from collections.abc import Mapping
from typing import Final

from gateway.domain.bill import Payee
from gateway.domain.case import TreatmentKind
from gateway.domain.catalogue import Level
from gateway.domain.split import Payer

TITLE: Final = ("工伤保险医疗费用结算单", "Work-Injury Insurance Medical Fee Settlement Sheet")

PAYERS: Final[Mapping[Payer, tuple[str, str]]] = {
    Payer.FUND: ("基金支付", "Fund"),
    Payer.EMPLOYER: ("单位承担", "Employer"),
    Payer.INDIVIDUAL: ("个人承担", "Individual"),
    Payer.HOSPITAL: ("医院承担", "Hospital"),
    Payer.OTHER: ("其他渠道", "Other"),
}

LEVELS: Final[Mapping[Level, str]] = {
    Level.TERTIARY: "三级 tertiary",
    Level.SECONDARY: "二级 secondary",
    Level.PRIMARY: "一级 primary",
}

TREATMENTS: Final[Mapping[TreatmentKind, str]] = {
    TreatmentKind.INPATIENT: "住院治疗 inpatient",
    TreatmentKind.REHABILITATION: "工伤康复 rehabilitation",
    TreatmentKind.RELAPSE: "旧伤复发 relapse",
    TreatmentKind.DEVICE: "辅助器具 assistive device",
}

PAYEES: Final[Mapping[Payee, tuple[str, str]]] = {
    Payee.HOSPITAL: ("医疗机构", "The hospital"),
    Payee.BASIC_INSURANCE: ("基本医疗保险基金（退还）", "Basic medical insurance, given back"),
    Payee.EMPLOYER: ("用人单位（已垫付）", "The employer, who had paid"),
    Payee.INDIVIDUAL: ("工伤职工", "The worker"),
}

CHANNELS: Final[Mapping[str, str]] = {
    "HOSPITAL": "由医疗机构发放 by the hospital",
    "AGENCY": "由经办机构发放 by the agency",
}

WITHIN: Final = ("目录内全额支付", "Within the catalogue, in full")
NO_CATEGORY: Final = "未分类 no category"

REMEDIES: Final = (
    "工伤职工或者其近亲属对经办机构核定的工伤保险待遇有异议的，签订服务协议的医疗机构认为经办机构"
    "未履行有关协议或者规定的，可以依法申请行政复议，也可以依法向人民法院提起行政诉讼"
    "（《工伤保险条例》第五十五条）；用人单位或者个人认为社会保险经办机构的行为侵害其社会保险权益的，"
    "可以依法申请行政复议或者提起行政诉讼（《中华人民共和国社会保险法》第八十三条）。",
    "Whoever contests the benefits assessed, or holds that the agency broke the service agreement, "
    "may apply for administrative review or sue in the people's court (Regulation on Work-Injury "
    "Insurance, article 55; Social Insurance Law, article 83).",
)
NOTES: Final = (
    "住院伙食补助费另行支付，不计入医疗费用总额。预付款、押金及应退应补由医疗机构与付款人另行结清。",
    "The meal allowance is paid beside the bill and is no part of its total. Prepayments, deposits "
    "and refunds are settled between the hospital and whoever paid.",
    "带“本网关的理解”的依据，原文未明言 / “our reading”: the text itself is silent. "
    "〓 表示字库所无的字，其后为统一码编号 / 〓 stands for a character that the font lacks, "
    "followed by its Unicode number.",
)
SIGNATURES: Final = (
    ("医疗机构经办人", "For the hospital"),
    ("工伤职工或近亲属", "Worker or next of kin"),
    ("经办机构审核人", "For the agency"),
)
