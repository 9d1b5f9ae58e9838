"""运维监听 The operations listener: alive, ready, metrics. No identity, so nothing personal.

/livez is the loop's own heartbeat: it touches nothing, so that it answers while all else waits.
/readyz answers 503 when a check fails (application/health+json); a warning is still ready.
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST

from gateway.health import Check, Facts, Health, Status
from gateway.metrics import Metrics
from gateway.ports import Clock
from gateway.web import problems

MEDIA_TYPE: Final = "application/health+json"
_ALIVE: Final = json.dumps({"status": Status.PASS}).encode()
_FRESH: Final = {"Cache-Control": "no-store"}


def ops_app(health: Health, metrics: Metrics, clock: Clock) -> FastAPI:
    """The three pages; `clock` is the business clock that waiting messages are aged by."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    problems.install(app)

    @app.get("/livez")
    async def livez() -> Response:
        return Response(_ALIVE, HTTPStatus.OK, _FRESH, MEDIA_TYPE)

    @app.get("/readyz")
    async def readyz() -> Response:
        facts = await health.facts()
        failed = facts.status is Status.FAIL
        status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
        return Response(_shown(facts), status, _FRESH, MEDIA_TYPE)

    @app.get("/metrics")
    async def scrape() -> Response:
        metrics.show(await health.facts(), clock.now())
        return Response(metrics.text(), HTTPStatus.OK, _FRESH, CONTENT_TYPE_LATEST)

    return app


def _shown(facts: Facts) -> bytes:
    at = facts.at.isoformat() if facts.at else ""
    document = {"status": facts.status, "checks": _checks(facts.checks, at)}
    return json.dumps(document, ensure_ascii=False).encode()


def _checks(checks: Sequence[Check], at: str) -> dict[str, list[dict[str, Any]]]:
    """As draft-inadarei-api-health-check-06 §4 wants them: one list for each name."""
    return {
        check.name: [
            {
                "status": check.status,
                "observedValue": check.observed,
                "observedUnit": check.unit,
                "time": at,
                "output": f"{check.zh} / {check.en}",
            }
        ]
        for check in checks
    }
