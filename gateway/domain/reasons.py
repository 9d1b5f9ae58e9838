"""Reason codes of a line decision 结算原因: one sentence each in Chinese and English."""

from typing import Final, NamedTuple


class Reason(NamedTuple):
    zh: str
    en: str


REASONS: Final[dict[str, Reason]] = {
    "NOT_INJURY": Reason(
        "与工伤无关的费用，不由工伤保险基金支付",
        "Not for the injury: outside work-injury insurance",
    ),
    "REFUSED_DISCHARGE": Reason(
        "符合出院条件拒不出院后发生的费用", "Charged after a refused discharge"
    ),
    "OUT_OF_CATALOGUE": Reason(
        "不在服务当日有效的工伤保险目录内，或目录规定不予支付",
        "Not payable under the catalogue in force on the service day",
    ),
    "LIMIT_NOT_MET": Reason(
        "不符合药品目录的限定支付范围",
        "Outside the limit of payment that the drug list sets for it",
    ),
    "EMERGENCY_APPROVED": Reason(
        "目录外或超限价部分经批准用于抢救，由基金支付",
        "Outside the catalogue or above the ceiling, approved for rescue: borne by the fund",
    ),
    "EMPLOYER_NOT_NOTIFIED": Reason(
        "用人单位未书面告知医院系工伤，由用人单位承担",
        "The employer did not tell the hospital in writing that this is an injury at work",
    ),
    "OVER_QTY": Reason("超过规定数量或频次的部分", "Above the allowed quantity or frequency"),
    "OVER_CEILING": Reason("超过最高支付限价的部分", "Above the highest payable unit price"),
    "REGIONAL_RATIO": Reason(
        "统筹地区规定比例以外的部分", "The part left by the ratio of the pooling region"
    ),
    "LATE_APPLICATION": Reason(
        "用人单位逾期申请工伤认定期间发生的费用，由用人单位承担",
        "Arose while the employer was late in applying for recognition: the employer's",
    ),
    "BENEFIT_STOPPED": Reason(
        "停止享受工伤保险待遇期间发生的费用", "Arose while benefits were stopped by a decision"
    ),
    "LIFE_NOT_ENDED": Reason(
        "辅助器具未到最低使用年限即更换",
        "An assistive device replaced before its least time of use had ended",
    ),
    "EMERGENCY_OVER": Reason(
        "非协议医疗机构急诊住院超过规定天数以后发生的费用",
        "Arose after the days that an emergency pays at an institution without agreement",
    ),
    "NOT_MOVED_BACK": Reason(
        "病情稳定后未转回协议医疗机构发生的费用",
        "Arose after the patient was stable and not moved back to an agreement institution",
    ),
    "BEFORE_COVER": Reason(
        "参保缴费前发生的费用，由用人单位承担",
        "Arose before the employer had joined and paid: the employer's",
    ),
    "EMPLOYER_IN_ARREARS": Reason(
        "用人单位欠缴工伤保险费，按当地规定由用人单位承担",
        "The employer owed premiums: by the region's text the employer's",
    ),
    "EMERGENCY_REPORTED_LATE": Reason(
        "非协议医疗机构急诊逾期未报告，按当地规定由用人单位承担",
        "Without agreement, an emergency reported late: by the region's text the employer's",
    ),
    "DUPLICATE_CHARGE": Reason("重复收费", "Charged twice"),
    "NO_ORDER": Reason("无医嘱收费", "Charged without a doctor's order"),
    "OVER_FREQUENCY": Reason("超频次收费", "Charged more often than allowed"),
    "HANGING_BED": Reason("挂床住院期间的费用", "Charged for a bed that was not slept in"),
    "SPLIT_STAY": Reason("分解住院的费用", "Charged by splitting one stay in two"),
}

TRAVEL_REASONS: Final[dict[str, Reason]] = {
    "NOT_APPROVED": Reason(
        "没有医疗机构证明或经办机构同意，交通、食宿费用不予支付",
        "Without the hospital's certificate or the agency's consent nothing is payable",
    ),
    "ONE_ROUND_TRIP": Reason(
        "一次就医只支付一次往返", "One round trip is payable for one treatment"
    ),
    "OVER_WAITING_DAYS": Reason("超过可支付的等候天数", "Waited for more days than are payable"),
    "OVER_LODGING_CAP": Reason("超过每晚住宿限额", "Above the most that is payable for a night"),
}
"""Why a part of the receipts of a trip stays the worker's own (rules/travel.py)."""
ROUNDING: Final = (
    "舍入：单价乘数量、支付比例各在本行四舍五入到分；合计由各行相加，不再舍入",
    "rounding: price × quantity and the ratio are rounded half up to the fen on each line; "
    "sums add lines and are never rounded again",
)

VIOLATIONS: Final = frozenset(
    {"DUPLICATE_CHARGE", "NO_ORDER", "OVER_FREQUENCY", "HANGING_BED", "SPLIT_STAY"}
)
"""Violations the agency may find on a line (lines.decide); once the cut for it is upheld
(cut.decide) the hospital bears the line."""
