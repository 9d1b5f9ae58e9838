"""演示全程 The whole story in order: each scene in Chinese and English, and what plays it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from adapters.sandbox import accidents, closing, opening, settling
from adapters.sandbox.progress import Progress
from adapters.sandbox.town import Town


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene; `play` returns what to show beside it and raises StoryBroken."""

    zh: str
    en: str
    play: Callable[[Town], Awaitable[str]]


SCENES: Final = (
    Scene("下载目录", "catalogues", opening.catalogues),
    Scene("报案与认定", "reports and decisions", opening.cases),
    Scene("代办授权", "carrier's mandate", opening.carrier),
    Scene("住院登记", "registrations", opening.registrations),
    Scene("五种拒绝", "five refusals", opening.refusals),
    Scene("小账单并重发", "small bill, sent twice", settling.small_bill),
    Scene("未认定挂账", "held bill", settling.held_bill),
    Scene("逾期申请登记", "late application", settling.late_stay),
    Scene("总账相符", "a clean day", settling.clean_day),
    Scene("认定后自行结算", "held bill released", settling.released),
    Scene("又一批伤者", "more injuries", opening.second_wave),
    Scene("中账单", "middle bill", settling.middle_bill),
    Scene("大账单", "large bill", settling.large_bill),
    Scene("逾期与康复结算", "late and rehabilitation", settling.other_bills),
    Scene("撤销再结算", "cancelled, settled anew", accidents.cancelled),
    Scene("冲正", "reversal", accidents.reversed_after),
    Scene("冲正先到", "reversal before original", accidents.reversed_before),
    Scene("断线后查询重发", "unknown outcome", accidents.cut_off),
    Scene("跨零点结算", "across midnight", accidents.midnight),
    Scene("次日对账", "reconciliation", closing.reconciliation),
    Scene("运维", "operations", closing.operations),
    Scene("双方一致", "both sides agree", closing.agreement),
)


async def play(town: Town, progress: Progress) -> None:
    """Play every scene. Raises StoryBroken at the first that goes wrong."""
    for scene in SCENES:
        with progress.scene(scene.zh, scene.en, town.clock.now) as shown:
            shown.note = await scene.play(town)
