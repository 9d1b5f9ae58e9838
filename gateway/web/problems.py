"""问题文档 HTTP statuses, and the unsigned problem documents of what was never believed.

This is the only place that knows an HTTP status. A problem document (RFC 9457) quotes nothing
that was received and claims no outcome: a client that gets one treats its message as UNKNOWN
(protocol §1).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gateway.domain.codes import CODES, Outcome

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
"""Seconds after which the same message may be sent again, unless said otherwise."""

_BY_OUTCOME: Final = {
    Outcome.APPLIED: HTTPStatus.OK,
    Outcome.ANSWERED: HTTPStatus.OK,
    Outcome.REFUSED: HTTPStatus.UNPROCESSABLE_ENTITY,
}
_BY_CODE: Final = {
    "MESSAGE_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "MESSAGE_NOT_UTF8": HTTPStatus.BAD_REQUEST,
    "MARKUP_FORBIDDEN": HTTPStatus.BAD_REQUEST,
    "MESSAGE_NOT_XML": HTTPStatus.BAD_REQUEST,
    "PROFILE_VIOLATED": HTTPStatus.BAD_REQUEST,
    "ALGORITHM_REFUSED": HTTPStatus.BAD_REQUEST,
    "SCHEMA_INVALID": HTTPStatus.BAD_REQUEST,
    "COMMAND_UNKNOWN": HTTPStatus.BAD_REQUEST,
    "WRONG_RECEIVER": HTTPStatus.BAD_REQUEST,
    "KEY_UNKNOWN": HTTPStatus.UNAUTHORIZED,
    "SIGNATURE_INVALID": HTTPStatus.UNAUTHORIZED,
    "CONNECTION_UNKNOWN": HTTPStatus.FORBIDDEN,
    "NOT_MANDATED": HTTPStatus.FORBIDDEN,
    "NO_SUCH_PATH": HTTPStatus.NOT_FOUND,
    "RECEIPT_UNKNOWN": HTTPStatus.NOT_FOUND,
    "RECEIPT_NOT_READY": HTTPStatus.ACCEPTED,
    "MESSAGE_ID_REUSED": HTTPStatus.CONFLICT,
    "RATE_LIMITED": HTTPStatus.TOO_MANY_REQUESTS,
    "IN_PROGRESS": HTTPStatus.ACCEPTED,
    "BUSY": HTTPStatus.SERVICE_UNAVAILABLE,
    "LOG_STALLED": HTTPStatus.SERVICE_UNAVAILABLE,
    "LOG_ROLLED_BACK": HTTPStatus.SERVICE_UNAVAILABLE,
    "GATEWAY_FAILED": HTTPStatus.INTERNAL_SERVER_ERROR,
}
_COME_AGAIN: Final = frozenset(
    {HTTPStatus.ACCEPTED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
_UNKNOWN_ZH: Final = (
    "本文档未经签名，不说明报文的办理结果。请按“结果未知”处理：查询、重发同一报文或冲正。"
)
_UNKNOWN_EN: Final = (
    "This document is unsigned and tells no outcome. Treat the message as UNKNOWN: "
    "query it, resend it unchanged, or reverse it."
)


def status_of(outcome: Outcome | None, code: str) -> int:
    """状态码 The HTTP status of an answer; `outcome` is None for what was never believed.

    Source: protocol §2. Raises KeyError for a code that is not registered.
    """
    if outcome in _BY_OUTCOME:
        return _BY_OUTCOME[outcome]
    registered = CODES[code].code
    return _BY_CODE.get(registered, HTTPStatus.BAD_REQUEST)


def signed(body: bytes, outcome: Outcome, code: str) -> Response:
    """签名回执 The HTTP response that carries the exact bytes of a signed reply."""
    status = status_of(outcome, code)
    return Response(body, status, _headers(status, RETRY_AFTER_S), "application/xml")


def problem(
    code: str, *, retry_after_s: int = RETRY_AFTER_S, note_zh: str = "", note_en: str = ""
) -> Response:
    """问题文档 The unsigned answer for a registered code; a note is our own words, never quoted.

    `retry_after_s` is whole seconds. Raises KeyError for a code that is not registered.
    """
    notes = note_zh, note_en
    return _problem(code, status_of(None, code), retry_after_s=retry_after_s, notes=notes)


def install(app: FastAPI) -> None:
    """Answer everything that no route answers with a problem document, never with a trace."""
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(Exception, _failed)


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (getattr(error, "headers", None) or {}).get("Allow", "")
        return _problem("NO_SUCH_PATH", status, more={"Allow": allowed})
    if status == HTTPStatus.NOT_FOUND:
        return _problem("NO_SUCH_PATH", status)
    return _problem("PROFILE_VIOLATED", status) if status < 500 else problem("GATEWAY_FAILED")


async def _bad_parameters(_: Request, __: Exception) -> Response:
    return problem("SCHEMA_INVALID")


async def _failed(_: Request, __: Exception) -> Response:
    return problem("GATEWAY_FAILED")


def _problem(
    code: str,
    status: int,
    *,
    retry_after_s: int = RETRY_AFTER_S,
    notes: tuple[str, str] = ("", ""),
    more: Mapping[str, str] | None = None,
) -> Response:
    headers = {**_headers(status, retry_after_s), **(more or {})}
    return Response(_written(code, status, notes), status, headers, MEDIA_TYPE)


@lru_cache(maxsize=256)
def _written(code: str, status: int, notes: tuple[str, str]) -> bytes:
    """The document's bytes: who is refused under overload must cost next to nothing."""
    return json.dumps(_document(code, status, notes), ensure_ascii=False).encode()


def _headers(status: int, retry_after_s: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if status in _COME_AGAIN:
        headers["Retry-After"] = str(retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110 §15.5.2 asks a 401 to name what proves identity: here, the XML signature.
        headers["WWW-Authenticate"] = "XMLDSig"
    return headers


def _document(code: str, status: int, notes: tuple[str, str]) -> dict[str, Any]:
    entry = CODES[code]
    return {
        "type": f"urn:gongshang:problem:{entry.code}",
        "title": f"{entry.zh} / {entry.en}",
        "status": int(status),
        "detail": f"{notes[0] or entry.cause_zh} / {notes[1] or entry.cause_en}",
        "code": entry.code,
        "who_must_act": entry.who,
        "retry": entry.retry,
        "next": list(entry.next),
        "outcome": "UNKNOWN",
        "outcome_zh": _UNKNOWN_ZH,
        "outcome_en": _UNKNOWN_EN,
    }
