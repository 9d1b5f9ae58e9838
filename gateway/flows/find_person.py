"""What the operator reads of persons: by number and name alone, limited, never without its audit
row. 个人信息保护法 第五十一条、第五十四条."""

from gateway import logs
from gateway.domain.commands import Identity
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk
from gateway.flows.plan import Act, applied
from gateway.flows.read_person import found_with_cases, masked
from gateway.flows.renew_keys import Ordered
from gateway.flows.transaction import job_unit


async def find_person(desk: Desk, identity: Identity, ordered: Ordered) -> str:
    """The id of a person for the operator; "" alike for one unknown and a name that is another's.

    Audited with who asked and why. Raises NotDone above the searches of an hour.
    """
    if not desk.searches.takes(f"operator {ordered.by}", desk.now_us):
        raise NotDone("查人过于频繁 / too many searches for persons within the hour")
    person, _ = await found_with_cases(desk, identity)
    act = Act(
        action="person.find",
        subject="" if person is None else person.person_id,
        reason=f"{ordered.by}: {ordered.reason} ({masked(identity)})",
    )
    await desk.database.commit(job_unit(desk, applied(subject="", acts=(act,)), "operator", {}))
    return act.subject


async def record_read(desk: Desk, what: str, subject: str, ordered: Ordered) -> None:
    """Keep who reads a record by which verb and why, before it is shown.

    The subject is what was asked for, in clear: an identity number taken for one of ours is
    masked.
    """
    named, reason = logs.masked(subject), f"{ordered.by}: {ordered.reason}"
    act = Act(action="record.read", subject=named, code=what, reason=reason)
    await desk.database.commit(job_unit(desk, applied(subject=named, acts=(act,)), "operator", {}))
