"""Every message of the agency's interface comes back as it was written."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.agency_xml import AgencyXml
from adapters.agency_xml.names import DIALECT

from ..shape.envelopes import binding
from ..shape.records import records
from ..shape.round_trips import answer_comes_back, answers, request_comes_back, requests

CODEC = AgencyXml()
LIGHT = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


@pytest.mark.parametrize("exchange", requests(DIALECT), ids=lambda one: one.command)
@given(data=st.data())
@LIGHT
def test_a_request_is_canonical_valid_and_read_back(exchange, data) -> None:
    record = data.draw(records(exchange.request))
    request_comes_back(CODEC, exchange.command, record)


@pytest.mark.parametrize(
    ("command", "body", "is_reply"), answers(DIALECT), ids=lambda one: getattr(one, "name", "")
)
@given(data=st.data())
@LIGHT
def test_a_reply_or_notice_is_canonical_valid_and_read_back(command, body, is_reply, data) -> None:
    record = data.draw(records(body))
    answer_comes_back(CODEC, command, record, binding() if is_reply else None)
