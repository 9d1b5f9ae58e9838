"""Whose name of a person counts: the agency's, once it has reported a case."""

from dataclasses import replace

from tests.flows.office import Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import person

pytestmark = ASKS_NO_STORE


async def test_a_wrong_name_given_by_one_hospital_does_not_shut_out_the_next(
    office: Office,
) -> None:
    wrong = replace(person(1), name="误写之名")
    await office.register("H001", "V1", 1, person=wrong)
    right = await office.register("H002", "V1", 1)
    assert right.result.state == "HELD"


async def test_the_agencys_name_replaces_what_a_hospital_called_the_person(office: Office) -> None:
    wrong = replace(person(1), name="误写之名")
    await office.register("H001", "V1", 1, person=wrong)
    reported = await office.report("C1", 1)
    assert reported.code == "OK"
    assert (await office.register("H002", "V2", 1)).result.case_no == "C1"
    refused = await office.register("H002", "V3", 1, person=wrong)
    assert refused.code == "PERSON_MISMATCH"


async def test_a_second_report_under_another_name_is_refused(office: Office) -> None:
    await office.report("C1", 1)
    other = await office.report("C2", 1, person=replace(person(1), name="另一人"))
    assert other.code == "PERSON_MISMATCH"
