"""条文锚点 The articles that a decision rests on when no dated value is involved."""

from collections.abc import Mapping
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.case import TreatmentKind

_IN_FORCE: Final = "2011-01-01"

FUND_PAYS: Final = Citation("law/fund_pays", "fund", _IN_FORCE, "《工伤保险条例》第三十条第三款")
REHABILITATION: Final = Citation(
    "law/rehabilitation", "fund", _IN_FORCE, "《工伤保险条例》第三十条第六款"
)
RELAPSE: Final = Citation("law/relapse", "fund", _IN_FORCE, "《工伤保险条例》第三十八条")
"""By it a relapse that was confirmed 确认需要治疗的 has what 第三十条 gives an injury."""
DEVICES: Final = Citation("law/devices", "fund", _IN_FORCE, "《工伤保险条例》第三十二条")
FUND_PAYS_FOR: Final[Mapping[TreatmentKind, Citation]] = {
    TreatmentKind.INPATIENT: FUND_PAYS,
    TreatmentKind.REHABILITATION: REHABILITATION,
    TreatmentKind.RELAPSE: RELAPSE,
    TreatmentKind.DEVICE: DEVICES,
}
"""By which article the fund pays for a stay, by what the stay is for."""
EMERGENCY: Final = Citation("law/emergency", "fund", _IN_FORCE, "《工伤保险条例》第三十条第二款")
OTHER_DISEASES: Final = Citation(
    "law/other_diseases", "other", _IN_FORCE, "《工伤保险条例》第三十条第五款"
)
BENEFIT_STOPPED: Final = Citation(
    "law/benefit_stopped", "other", _IN_FORCE, "《工伤保险条例》第四十二条"
)
LATE_APPLICATION: Final = Citation(
    "law/late_application", "employer", _IN_FORCE, "《工伤保险条例》第十七条第四款"
)
NEWLY_ARISING: Final = Citation(
    "law/newly_arising", "employer", _IN_FORCE, "《工伤保险条例》第六十二条第三款", our_reading=True
)
"""For an employer that had not joined, the day after joining and paying is the first of
新发生的费用: the text says 后 and names no day, and cover only then begins (domain/case.py). Only
a joining and paying that ends after the lack of cover began is such a 后, and where a text lets
cover begin by the roster, no day before that is newly covered (rules/employment.py)."""
ARREARS_PAID: Final = Citation(
    "law/arrears_paid", "employer", _IN_FORCE, "《工伤保险条例》第六十二条第三款", our_reading=True
)
"""What arises once arrears were paid inside a stay is newly arising, by likeness: the text speaks
of an employer that joins, and here cover had never ended. So the day of paying is the first that
is no longer owed for, a day earlier than for one that joins (domain/case.py)."""
UNINSURED: Final = Citation(
    "law/uninsured",
    "employer",
    _IN_FORCE,
    "《工伤保险条例》第六十二条第二款、《中华人民共和国社会保险法》第四十一条第一款",
)
GIVEN_BACK_FIRST: Final = Citation(
    "law/given_back_first",
    "basic_insurance",
    "2018-12-29",
    "《中华人民共和国社会保险法》第三十条第一款第（一）项",
)
THIRD_PARTY_RECOURSE: Final = Citation(
    "law/third_party_recourse", "fund", "2018-12-29", "《中华人民共和国社会保险法》第四十二条"
)
TRAVEL: Final = Citation("law/travel", "fund", _IN_FORCE, "《工伤保险条例》第三十条第四款")
PAID_BACK: Final = Citation(
    "law/paid_back", "payer", _IN_FORCE, "《工伤保险条例》第三十条第三款", our_reading=True
)
"""That the fund's share goes to whoever paid it already no national text says."""
MEAL_ALLOWANCE: Final = Citation(
    "law/meal_allowance", "fund", _IN_FORCE, "《工伤保险条例》第三十条第四款"
)
PAID_LEAVE: Final = Citation("case/paid_leave", "", _IN_FORCE, "《工伤保险条例》第三十三条第二款")
"""The end of the paid leave as the agency told it; filled with its last day."""
DIAGNOSIS_DAY: Final = Citation(
    "case/diagnosed_on", "", _IN_FORCE, "《工伤保险条例》第十七条第一款"
)
"""For an occupational disease the event is its diagnosis; filled with the day."""
EXTENDED_LIMIT: Final = Citation(
    "case/application_extended_to", "", _IN_FORCE, "《工伤保险条例》第十七条第一款"
)
"""The employer's time limit as the department extended it; filled with its last day."""
