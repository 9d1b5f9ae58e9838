"""After forgetting, the rules have nothing at hand from the bills before."""

from gateway.rules.plain import standing
from gateway.rules.settle import settle
from tests.forgetting import caches
from tests.rules.facts import a_bill, a_line, example_policy


def test_a_bill_after_forgetting_is_worked_out_anew_and_to_the_same_verdict():
    bill, policy = a_bill(a_line()), example_policy()
    known = settle(bill, policy)
    assert any(one.prepared for one in bill.editions)
    for forget in caches():
        forget()
    assert not any(one.prepared for one in bill.editions)
    assert standing.cache_info().currsize == 0
    assert settle(bill, policy) == known
    assert standing.cache_info().hits == 0
