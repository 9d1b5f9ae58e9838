"""智能审核规则 Audit rules A01–A24: what may be wrong with a bill, as data.

A hit is a suspicion with evidence for a person. `automatic` rules only repeat what arithmetic,
the upload or the catalogue has decided already; the others never move money by themselves.
（社会保险经办条例 第四十二条、第四十三条：核查执行目录和标准的情况；医疗机构有权陈述、申辩）
"""

from typing import Final, NamedTuple

MOST_HITS: Final = 10
"""Hits of one rule told one by one; what is more is told together."""
MOST_SUSPECT_LINES: Final = 20
"""Lines that one suspicion names: enough to begin with, and a message stays small."""

_CHECK: Final = "《社会保险经办条例》第四十二条"
_FUND: Final = "《工伤保险条例》第三十条第三款"
_RELATION: Final = "《工伤保险条例》第三十条第五款"
_AGREEMENT: Final = "《工伤保险条例》第四十七条"
_BMI: Final = "《中华人民共和国社会保险法》第三十条第一款第一项"


class AuditRule(NamedTuple):
    """A rule in Chinese and English, the text it rests on, and whether it is automatic."""

    zh: str
    en: str
    basis: str
    automatic: bool = False


AUDIT_RULES: Final[dict[str, AuditRule]] = {
    "A01": AuditRule("疑似重复收费", "The same thing charged twice at the same minute", _CHECK),
    "A02": AuditRule("收取已含于其他项目的项目", "Charged beside an item that contains it", _CHECK),
    "A03": AuditRule(
        "超过每日或每次住院的限量", "Over the quantity of a day or a stay", _FUND, True
    ),
    "A04": AuditRule("出院带药超过天数", "Medicine for too many days at discharge", _CHECK),
    "A05": AuditRule("床位或护理数量多于住院天数", "More beds or nursing than days", _CHECK),
    "A06": AuditRule("与性别不符", "Limited to the other sex", _CHECK),
    "A07": AuditRule("与年龄不符", "Limited to another age", _CHECK),
    "A08": AuditRule("诊断中未见限定的适应症", "No diagnosis is the indication asked for", _CHECK),
    "A09": AuditRule("与医疗机构等级不符", "Limited to hospitals of another level", _CHECK),
    "A10": AuditRule("超过限定的支付疗程", "Over the days that the list pays", _CHECK),
    "A11": AuditRule("限生育保险的项目", "Limited to maternity insurance", _FUND, True),
    "A12": AuditRule(
        "诊断与受伤部位不符", "No diagnosis is an injury, or of the part reported", _RELATION
    ),
    "A13": AuditRule("与另一次住院日期重叠", "Overlaps another stay of the person", _CHECK),
    "A14": AuditRule("疑似分解住院", "One stay split in two", _CHECK),
    "A15": AuditRule("疑似挂床住院", "Days without any treatment", _CHECK),
    "A16": AuditRule("没有医嘱或处方的收费", "Charged under no order and no prescription", _CHECK),
    "A17": AuditRule(
        "日期在住院以外、受伤以前或死亡以后",
        "Outside the stay, before the injury or after death",
        _CHECK,
    ),
    "A18": AuditRule("单价高于最高支付限价", "Above the highest payable unit price", _CHECK),
    "A19": AuditRule("处方全为单独使用不予支付的饮片", "Only pieces not paid alone", _FUND, True),
    "A20": AuditRule(
        "服务协议中止、到期，或医生不在名录",
        "Agreement suspended or over, or the doctor not listed",
        _AGREEMENT,
    ),
    "A21": AuditRule("逾期办理住院登记", "Registered late", _CHECK),
    "A22": AuditRule("住院费用高于审核线", "Costs more than the region's threshold", _CHECK),
    "A23": AuditRule("同一天有两张床位", "Two beds on one day", _CHECK),
    "A24": AuditRule("同次住院已由基本医疗保险结算", "Settled in basic insurance already", _BMI),
}
