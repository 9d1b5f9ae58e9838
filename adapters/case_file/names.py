"""The names of the case file ↔ our words."""

from typing import Final

from gateway.domain.split import SIGNERS, Payer

ID: Final = "id"
TITLE: Final = "title"
PARAMS: Final = "params"
LINES: Final = "lines"
STAY: Final = "stay"
EXPECT: Final = "expect"

NO_CONSENT_PAYER: Final = "no_consent_payer"
EMPLOYER_NOT_NOTIFIED: Final = "employer_not_notified"
RATIO_PAYER: Final = "ratio_payer"

NAME: Final = "name"
PRICE: Final = "price"
QTY: Final = "qty"
AMOUNT: Final = "amount"
CHARGED: Final = "charged"
IN_CAT: Final = "in_cat"
CEILING: Final = "ceiling"
QTY_LIMIT: Final = "qty_limit"
RATIO: Final = "ratio"
PAYER: Final = "payer"
RELATION: Final = "relation"
VIOLATION: Final = "violation"
WINDOW: Final = "window"
EMERGENCY_APPROVED: Final = "emergency_approved"
REFUSE_DISCHARGE: Final = "refuse_discharge"

ADM: Final = "adm"
DIS: Final = "dis"
MEAL_RATE: Final = "meal_rate"

PAID: Final = "paid"
LIABILITY: Final = "liability"
PAYEES: Final = "payees"
TAKEN_OFF: Final = "taken_off"
CLAIM: Final = "claim"

TRAVEL: Final = "travel"
HOSPITAL_CERTIFICATE: Final = "hospital_certificate"
AGENCY_CONSENT: Final = "agency_consent"
FARES: Final = "fares"
ROUND_TRIP: Final = "round_trip"
WAITED: Final = "waited"
NIGHTS: Final = "nights"
HOSPITAL_DAYS: Final = "hospital_days"
CAPS: Final = "caps"
LODGING_PER_NIGHT: Final = "lodging_per_night"
WAITING_DAYS: Final = "waiting_days"
MEAL_PER_DAY: Final = "meal_per_day"
REGION: Final = "region"
DAY: Final = "day"
FUND: Final = "fund"
OWN: Final = "own"
LODGING: Final = "lodging"
MEALS: Final = "meals"
CITES: Final = "cites"

NO: Final = "no"
TOTAL: Final = "total"
REASONS: Final = "reasons"
MEAL_DAYS: Final = "meal_days"
MEAL: Final = "meal"

UNRELATED: Final = "unrelated"
INJURY: Final = "injury"
LATE_APPLICATION: Final = "late_application"

PAYERS: Final = {payer.value: payer for payer in Payer}
CONSENTS: Final = {payer.value: payer for payer in SIGNERS}
EXCESS_PAYERS: Final = {Payer.HOSPITAL.value: Payer.HOSPITAL, **CONSENTS}
