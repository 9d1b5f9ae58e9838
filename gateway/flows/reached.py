"""涉及哪些结算 Which settlements a new catalogue or policy reaches, and the command that proposes.

Nothing is proposed by itself: a person names the correction and stands behind it
(flows/propose_readjudications.py).
"""

from collections.abc import Iterable

from gateway.domain.catalogue import Edition
from gateway.domain.readjudication import Cause
from gateway.policy.compare import changed_since
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.store.database import Reader
from gateway.store.editions import policy_content
from gateway.store.standing import (
    Reach,
    policies_standing,
    reached_by_edition,
    reached_by_policy,
)


async def by_editions(reader: Reader, editions: Iterable[Edition]) -> str:
    """What new editions reach, in words for the operator; "" when nothing."""
    found = [await reached_by_edition(reader, edition) for edition in editions]
    return _told(Cause.CATALOGUE, _most(found))


async def by_policy(reader: Reader, policy: Policy) -> str:
    """What a policy newly in force reaches of what stands by earlier ones; "" when nothing."""
    found = []
    for digest in await policies_standing(reader):
        content = await policy_content(reader, digest)
        since = None if content is None else changed_since(load_archive(content), policy)
        if since is not None:
            found.append(await reached_by_policy(reader, digest, since))
    return _told(Cause.POLICY, _together(found))


def _most(found: Iterable[Reach]) -> Reach:
    """The editions of one catalogue reach much the same settlements: the widest of them."""
    some = [one for one in found if one.settlements]
    return _span(max((one.settlements for one in some), default=0), some)


def _together(found: Iterable[Reach]) -> Reach:
    """Each settlement stands by one policy."""
    some = [one for one in found if one.settlements]
    return _span(sum(one.settlements for one in some), some)


def _span(settlements: int, some: list[Reach]) -> Reach:
    if not some:
        return Reach()
    return Reach(settlements, min(one.first for one in some), max(one.last for one in some))


def _told(cause: Cause, reach: Reach) -> str:
    if not reach.settlements:
        return ""
    asked = f"gateway readjudicate --cause {cause} --from {reach.first} --to {reach.last} --by"
    return (
        f"涉及已结算 {reach.settlements} 笔，提出重审建议："
        f" / reaches {reach.settlements} settlements; propose what it changes:\n"
        f"{asked} 提出人"
    )
