"""演示汇总 What the story came to, from the signed messages that the parties hold."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from adapters.sandbox.expect import expect
from adapters.sandbox.town import Town
from gateway.domain.admission import AdmissionState
from gateway.domain.money import yuan
from gateway.domain.results import Settlement
from gateway.domain.split import total

_LABELS: Final[Mapping[str, str]] = {
    "stays": "住院登记 registrations received",
    "lines": "结算明细 lines settled",
    "held": "挂账 bills ever held",
    "released": "挂账后结算 released",
    "refused": "拒绝登记 refused",
    "differences": "对账差异 differences",
    "seconds": "用时（秒） seconds",
    "total": "总额（元） total, yuan",
    "fund": "基金 fund",
    "employer": "单位 employer",
    "individual": "个人 individual",
    "hospital": "医院 hospital",
    "other": "其他 other",
    "meal": "伙食补助（另计） meal, beside it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts are of the whole story; amounts, in yuan, of the settlements in force at its end."""

    stays: int
    lines: int
    held: int
    released: int
    refused: int
    differences: int
    seconds: int
    total: str
    fund: str
    employer: str
    individual: str
    hospital: str
    other: str
    meal: str

    def plain(self) -> dict[str, int | str]:
        """One flat object."""
        return asdict(self)

    def table(self) -> list[tuple[str, str]]:
        """A labelled row for each value."""
        return [(_LABELS[name], str(value)) for name, value in self.plain().items()]


def summed_up(town: Town, seconds: int) -> Summary:
    """The summary; the five payers add up to the total. Raises StoryBroken when they do not."""
    stays = [stay for hospital in town.hospitals.values() for stay in hospital.stays.values()]
    live = settlements(town)
    settled = {one.admission_id for one in live}
    split = total([one.split for one in live])
    total_fen = sum(stay.amount_fen for stay in stays if stay.admission_id in settled)
    expect(
        split.total_fen == total_fen,
        "五方合计应等于账单总额",
        "the five payers should add up to the bills",
    )
    held = [stay for stay in stays if stay.ever_held]
    return Summary(
        stays=town.bureau.registrations,
        lines=sum(len(one.lines) for one in live),
        held=len(held),
        released=sum(stay.admission_id in settled for stay in held),
        refused=sum(stay.state == AdmissionState.REFUSED for stay in stays),
        differences=len(town.differences),
        seconds=seconds,
        total=yuan(total_fen),
        fund=yuan(split.fund_fen),
        employer=yuan(split.employer_fen),
        individual=yuan(split.individual_fen),
        hospital=yuan(split.hospital_fen),
        other=yuan(split.other_fen),
        meal=yuan(sum(one.meal.amount_fen for one in live if one.meal)),
    )


def settlements(town: Town) -> list[Settlement]:
    """The settlements in force, from the hospitals' books."""
    return [one for hospital in town.hospitals.values() for one in hospital.book.live.values()]
