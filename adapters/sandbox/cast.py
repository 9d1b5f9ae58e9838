"""演示人物 Who plays in the story: each worker's injury, case and stay, by visit number.

Days count from the first day of the story; everything is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from adapters.sandbox.people import worker
from gateway.clock import at_business
from gateway.domain.admission import Diagnosis
from gateway.domain.case import Channel, ThirdParty, TreatmentKind
from gateway.domain.commands import FirstJudgement, Identity, RegisterAdmission, ReportCase

_ADMITTED_HOUR: Final = 8
_REPORT_HOURS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One worker's injury and stay."""

    visit_no: str
    serial: int
    parts: str
    diagnosis: tuple[str, str]
    injured: int
    admitted: int
    department: str
    treatment: TreatmentKind = TreatmentKind.INPATIENT
    emergency: bool = False
    insured: bool | None = True
    third_party: ThirdParty = ThirdParty.NONE
    disputed: bool = False
    approval_no: str = ""

    @property
    def hospital(self) -> str:
        return self.visit_no.partition("-")[0]

    @property
    def case_no(self) -> str:
        return f"C{self.serial:04d}"

    @property
    def person(self) -> Identity:
        return worker(self.serial)

    def report(self, start: date) -> ReportCase:
        """The employer's report, telephoned to the agency on the day of the injury."""
        injured_on = start + timedelta(days=self.injured)
        return ReportCase(
            case_no=self.case_no,
            person=self.person,
            employer_no=f"E{self.serial:03d}",
            employer_name=f"虚构制造厂{self.serial:03d}",
            injured_on=injured_on,
            injured_parts=self.parts,
            diagnoses=(self._diagnosis,),
            reported_by="单位人事岗",
            reported_at=at_business(injured_on, _REPORT_HOURS),
            channel=Channel.TELEPHONE,
            insured_at_injury=self.insured,
            third_party=self.third_party,
            disputed=self.disputed,
        )

    def registration(self, start: date) -> RegisterAdmission:
        """The stay as the hospital registers it, with its own first judgement."""
        admitted_at = at_business(start + timedelta(days=self.admitted), _ADMITTED_HOUR)
        return RegisterAdmission(
            visit_no=self.visit_no,
            person=self.person,
            treatment=self.treatment,
            admitted_at=admitted_at,
            department=self.department,
            doctor="值班医师",
            diagnoses=(self._diagnosis,),
            ward=f"{self.department}一病区",
            bed=f"{self.serial:02d}",
            emergency=self.emergency,
            approval_no=self.approval_no,
            first_judgement=_judged(admitted_at),
        )

    @property
    def _diagnosis(self) -> Diagnosis:
        return Diagnosis(*self.diagnosis, True)


def _judged(at: datetime) -> FirstJudgement:
    return FirstJudgement(by="首诊医师", at=at, basis="单位现场陈述与伤情相符（虚构）")


def _named(*roles: Role) -> Mapping[str, Role]:
    return {role.visit_no: role for role in roles}


POLYTRAUMA, FOREARM, HAND, FINGER = "H001-01", "H001-02", "H001-03", "H001-04"
TIBIA, ANKLE, HEEL, HUMERUS = "H002-01", "H002-02", "H002-03", "H002-04"
REHABILITATION, LATE, MIDNIGHT = "H003-01", "H003-02", "H003-03"
UNINSURED, TRAFFIC, NOT_DESIGNATED = "H001-05", "H002-05", "H002-06"
DISPUTED, UNKNOWN_INSURANCE = "H003-04", "H003-05"
APPROVAL_NO: Final = "P-REHAB-01"
SECOND_WAVE: Final = 18
"""The day on which the second group is injured and admitted."""

CAST: Final = _named(
    Role(
        visit_no=POLYTRAUMA,
        serial=1,
        parts="头、胸、骨盆、右大腿",
        diagnosis=("T07.x00", "多发性损伤"),
        injured=0,
        admitted=0,
        department="重症医学科",
        emergency=True,
    ),
    Role(
        visit_no=FOREARM,
        serial=2,
        parts="左前臂",
        diagnosis=("S52.400", "尺骨和桡骨骨干骨折"),
        injured=0,
        admitted=0,
        department="骨科",
    ),
    Role(
        visit_no=HAND,
        serial=3,
        parts="右手",
        diagnosis=("S66.900", "腕和手水平肌肉和肌腱损伤"),
        injured=0,
        admitted=0,
        department="手外科",
    ),
    Role(
        visit_no=FINGER,
        serial=4,
        parts="右手食指",
        diagnosis=("S62.600", "指骨骨折"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="手外科",
    ),
    Role(
        visit_no=UNINSURED,
        serial=5,
        parts="背部",
        diagnosis=("S22.000", "胸椎骨折"),
        injured=0,
        admitted=0,
        department="骨科",
        insured=False,
    ),
    Role(
        visit_no=TIBIA,
        serial=6,
        parts="右小腿",
        diagnosis=("S82.200", "胫骨骨干骨折"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="创伤骨科",
    ),
    Role(
        visit_no=ANKLE,
        serial=7,
        parts="左踝",
        diagnosis=("S82.800", "踝部骨折"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="创伤骨科",
    ),
    Role(
        visit_no=HEEL,
        serial=8,
        parts="左足跟",
        diagnosis=("S92.000", "跟骨骨折"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="创伤骨科",
    ),
    Role(
        visit_no=HUMERUS,
        serial=9,
        parts="右上臂",
        diagnosis=("S42.300", "肱骨骨干骨折"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="创伤骨科",
    ),
    Role(
        visit_no=TRAFFIC,
        serial=10,
        parts="双下肢",
        diagnosis=("S82.700", "小腿多发性骨折"),
        injured=0,
        admitted=0,
        department="创伤骨科",
        third_party=ThirdParty.CONFIRMED_UNPAID,
    ),
    Role(
        visit_no=NOT_DESIGNATED,
        serial=11,
        parts="腰部",
        diagnosis=("S32.000", "腰椎骨折"),
        injured=-90,
        admitted=0,
        department="康复科",
        treatment=TreatmentKind.REHABILITATION,
    ),
    Role(
        visit_no=REHABILITATION,
        serial=12,
        parts="右髋",
        diagnosis=("S72.000", "股骨颈骨折"),
        injured=-60,
        admitted=0,
        department="康复科",
        treatment=TreatmentKind.REHABILITATION,
        approval_no=APPROVAL_NO,
    ),
    Role(
        visit_no=LATE,
        serial=13,
        parts="左膝",
        diagnosis=("S83.200", "近期半月板撕裂"),
        injured=-34,
        admitted=1,
        department="骨伤科",
    ),
    Role(
        visit_no=MIDNIGHT,
        serial=14,
        parts="右肩",
        diagnosis=("S43.000", "肩关节脱位"),
        injured=SECOND_WAVE,
        admitted=SECOND_WAVE,
        department="骨伤科",
    ),
    Role(
        visit_no=DISPUTED,
        serial=15,
        parts="腰部",
        diagnosis=("S33.500", "腰椎扭伤和劳损"),
        injured=0,
        admitted=0,
        department="骨伤科",
        disputed=True,
    ),
    Role(
        visit_no=UNKNOWN_INSURANCE,
        serial=16,
        parts="右腕",
        diagnosis=("S63.500", "腕关节扭伤和劳损"),
        injured=0,
        admitted=0,
        department="骨伤科",
        insured=None,
    ),
)
"""Everybody, by visit number."""
