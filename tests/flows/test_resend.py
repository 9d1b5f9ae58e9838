"""A message that comes again: after a restart, after three days, signed with another key of
another algorithm. It is the same message, and is answered by what became of it.

Here the bytes are really signed and go through the listener's own application.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.seal import authority
from tests.flows.listener import LIVE, REFUSED, TOMBSTONE, UNDONE, Listener, said_in
from tests.flows.office import office_in

CODES = {UNDONE: "SUPERSEDED", TOMBSTONE: "REVERSED_BEFORE_ARRIVAL"}
STATES = pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE, TOMBSTONE])


def assert_same_message(again: Any, first: Any, state: str) -> None:
    """The stored bytes while the effect lives, and what became of it when it does not."""
    if state in CODES:
        assert again[1] == CODES[state]
    else:
        assert again == first


@STATES
async def test_a_resend_after_a_restart_is_the_same_message(data: Path, state: str) -> None:
    async with said_in(data, "ecdsa", state) as (before, signer, first):
        pass
    async with office_in(data) as office:
        again = Listener(office, before.tls, {}, before.command, before.heading)
        assert_same_message(await again.target(signer), first, state)


@STATES
async def test_a_resend_after_three_days_is_the_same_message(data: Path, state: str) -> None:
    async with said_in(data, "ecdsa", state) as (listener, signer, first):
        listener.office.gateway.clock.move(timedelta(days=3))
        assert_same_message(await listener.target(signer), first, state)


@STATES
@pytest.mark.parametrize(("old", "new"), [("rsa", "ecdsa"), ("ecdsa", "rsa")])
async def test_a_resend_signed_with_a_key_of_another_algorithm_is_the_same_message(
    data: Path, state: str, old: str, new: str
) -> None:
    async with said_in(data, old, state) as (listener, signer, first):
        named = {"fingerprint": authority.fingerprint(signer.certificate), "verb": "revoke"}
        await listener.office.act("key.change", **named)
        assert (await listener.target(signer))[0] == 401
        assert_same_message(await listener.target(listener.signers[new]), first, state)


async def test_a_message_that_never_came_is_expired_after_three_days(data: Path) -> None:
    async with said_in(data, "ecdsa", LIVE) as (listener, signer, _):
        listener.heading = listener.headed("settlement.commit", "H009-LATE")
        listener.office.gateway.clock.move(timedelta(days=3))
        status, code, first = await listener.target(signer)
        assert (status, code) == (422, "EXPIRED")
        assert (await listener.target(signer))[2] == first
