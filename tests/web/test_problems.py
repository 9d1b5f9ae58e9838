"""HTTP statuses, and what an unsigned answer says and does not say."""

import json

import httpx
import pytest
from fastapi import FastAPI

from gateway.domain.codes import CODES, Outcome
from gateway.web import problems
from gateway.web.problems import problem, signed, status_of


@pytest.mark.parametrize(
    ("outcome", "code", "status"),
    [
        (Outcome.APPLIED, "OK", 200),
        (Outcome.APPLIED, "HELD", 200),
        (Outcome.APPLIED, "SUPERSEDED", 200),
        (Outcome.ANSWERED, "OK", 200),
        (Outcome.ANSWERED, "NOT_SEEN", 200),
        (Outcome.ANSWERED, "IN_PROGRESS", 200),
        (Outcome.REFUSED, "EXPIRED", 422),
        (Outcome.REFUSED, "CASE_NOT_FOUND", 422),
        (Outcome.REFUSED, "REVERSED_BEFORE_ARRIVAL", 422),
        (Outcome.NOT_PROCESSED, "MESSAGE_ID_REUSED", 409),
        (Outcome.NOT_PROCESSED, "SCHEMA_INVALID", 400),
        (Outcome.NOT_PROCESSED, "COMMAND_UNKNOWN", 400),
        (Outcome.NOT_PROCESSED, "WRONG_RECEIVER", 400),
        (Outcome.NOT_PROCESSED, "IN_PROGRESS", 202),
        (Outcome.NOT_PROCESSED, "BUSY", 503),
        (Outcome.NOT_PROCESSED, "LOG_ROLLED_BACK", 503),
        (None, "MESSAGE_TOO_LARGE", 413),
        (None, "MESSAGE_NOT_UTF8", 400),
        (None, "MARKUP_FORBIDDEN", 400),
        (None, "MESSAGE_NOT_XML", 400),
        (None, "PROFILE_VIOLATED", 400),
        (None, "ALGORITHM_REFUSED", 400),
        (None, "KEY_UNKNOWN", 401),
        (None, "SIGNATURE_INVALID", 401),
        (None, "CONNECTION_UNKNOWN", 403),
        (None, "NOT_MANDATED", 403),
        (None, "NO_SUCH_PATH", 404),
        (None, "RATE_LIMITED", 429),
        (None, "GATEWAY_FAILED", 500),
    ],
)
def test_each_outcome_and_code_has_one_status(outcome, code, status) -> None:
    assert status_of(outcome, code) == status


def test_a_code_that_is_not_registered_has_no_status() -> None:
    with pytest.raises(KeyError):
        status_of(None, "MADE_UP")


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_makes_a_problem_in_two_languages_that_claims_no_outcome(code) -> None:
    answer = problem(code)
    told = json.loads(answer.body)
    entry = CODES[code]
    assert answer.media_type == "application/problem+json"
    assert told["status"] == answer.status_code
    assert entry.zh in told["title"]
    assert entry.en in told["title"]
    assert entry.cause_zh in told["detail"]
    assert entry.cause_en in told["detail"]
    assert (told["code"], told["who_must_act"], told["retry"]) == (code, entry.who, entry.retry)
    assert told["next"] == list(entry.next)
    assert told["outcome"] == "UNKNOWN"
    assert "结果未知" in told["outcome_zh"]


@pytest.mark.parametrize("code", ["RATE_LIMITED", "BUSY", "IN_PROGRESS"])
def test_what_may_be_sent_again_says_when(code) -> None:
    assert problem(code).headers["retry-after"] == "1"
    assert problem(code, retry_after_s=7).headers["retry-after"] == "7"


def test_a_refusal_for_good_says_no_time() -> None:
    assert "retry-after" not in problem("SIGNATURE_INVALID").headers


def test_a_401_says_what_would_prove_identity() -> None:
    assert problem("KEY_UNKNOWN").headers["www-authenticate"] == "XMLDSig"


def test_a_note_of_ours_replaces_the_general_cause() -> None:
    told = json.loads(problem("PROFILE_VIOLATED", note_zh="不得压缩", note_en="plain only").body)
    assert told["detail"] == "不得压缩 / plain only"


def test_a_signed_reply_travels_byte_for_byte() -> None:
    answer = signed(b"<Message>\r\n</Message>", Outcome.NOT_PROCESSED, "BUSY")
    assert answer.body == b"<Message>\r\n</Message>"
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/xml"


# --- an app with the handlers installed -----------------------------------------------------------


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(made)

    @made.get("/number")
    async def number(value: int) -> int:
        return value

    @made.post("/break")
    async def broken() -> None:
        raise RuntimeError("secret 110101199003071233")

    return made


async def called(app: FastAPI, method: str, path: str) -> tuple[int, dict, dict]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.request(method, path)
    return answer.status_code, answer.json(), dict(answer.headers)


async def test_an_unknown_path_is_a_problem_and_is_not_quoted(app) -> None:
    status, told, _ = await called(app, "GET", "/<script>110101199003071233")
    assert (status, told["code"]) == (404, "NO_SUCH_PATH")
    assert "script" not in json.dumps(told)


async def test_a_wrong_method_names_the_right_one(app) -> None:
    status, told, headers = await called(app, "DELETE", "/number")
    assert (status, told["code"], told["status"]) == (405, "NO_SUCH_PATH", 405)
    assert headers["allow"] == "GET"


@pytest.mark.parametrize("query", ["", "?value=abc", "?value=1e3000000"])
async def test_bad_parameters_are_a_problem_and_are_not_quoted(app, query) -> None:
    status, told, _ = await called(app, "GET", f"/number{query}")
    assert (status, told["code"]) == (400, "SCHEMA_INVALID")
    assert "1e3" not in json.dumps(told)


async def test_a_failure_of_ours_shows_no_trace_and_claims_no_outcome(app) -> None:
    status, told, _ = await called(app, "POST", "/break")
    assert (status, told["code"], told["outcome"]) == (500, "GATEWAY_FAILED", "UNKNOWN")
    assert "secret" not in json.dumps(told)
    assert "Traceback" not in json.dumps(told)
