"""Errors of the API: RFC 9457 problem details with our neutral reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from opencpm.domain.errors import Reason, SendError

STATUS: Mapping[Reason, int] = {
    Reason.UNKNOWN_ADDRESS: 404,
    Reason.UNREACHABLE: 409,
    Reason.OFFLINE: 409,
    Reason.BUSY: 409,
    Reason.DECLINED: 409,
    Reason.NO_ANSWER: 409,
    Reason.LEFT: 409,
    Reason.BARRED: 403,
    Reason.NO_ROUTE: 422,
    Reason.NO_ACCOUNT: 422,
    Reason.TOO_LARGE: 413,
    Reason.UNSUPPORTED_MEDIA: 415,
    Reason.NOT_ACCEPTABLE: 422,
    Reason.MALFORMED: 400,
    Reason.INVALID_SOURCE: 422,
    Reason.CONGESTION: 503,
    Reason.NETWORK_DOWN: 503,
    Reason.AUTHENTICATION: 502,
    Reason.TIMEOUT: 504,
    Reason.EXPIRED: 422,
    Reason.UNDELIVERABLE: 502,
    Reason.REJECTED: 502,
    Reason.CANCELLED: 409,
    Reason.TOO_LATE: 409,
    Reason.INTERNAL: 500,
}
"""HTTP status (RFC 9110 §15) of each reason: of the person 409, of the network 50x, of the request 4xx."""


DETAILS: Mapping[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). More members may follow.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string", "description": "Where the reason is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that a user may read."},
        "reason": {"type": "string", "description": "A word for programs."},
        "retryable": {"type": "boolean", "description": "The same request may succeed later."},
    },
}
"""Schema of every error answer, in the OpenAPI description at ``#/components/schemas/Problem``."""

ANSWER: Mapping[str, Any] = {
    "description": "Refused: a problem with its reason",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""How an operation's error answers stand in the OpenAPI description."""


class Problem(Exception):
    """An error answer. ``reason`` is a :class:`Reason` value or one of the API's own words ("not-found", "token").

    :param members: extension members of the problem object (RFC 9457 §3.2).
    """

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.many: list[str] = []
        """Challenges: one WWW-Authenticate field each (RFC 9110 §11.6.1)."""

    def response(self) -> Response:
        body = {
            "type": f"/api/docs#{self.reason}",
            "title": self.reason.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            **self.members,
        }
        text = json.dumps(body, ensure_ascii=True)
        response = Response(text, self.status, self.headers, media_type="application/problem+json")
        for challenge in self.many:
            response.headers.append("WWW-Authenticate", challenge)
        return response


def of_send_error(error: SendError, **members: Any) -> Problem:
    """A refusal of messaging as a problem; ``retryable`` and Retry-After are kept."""
    headers = {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after else {}
    members["retryable"] = error.retryable
    return Problem(STATUS[error.reason], error.reason.value, error.detail, headers=headers, members=members)


def not_found(what: str) -> Problem:
    return Problem(404, "not-found", f"There is no such {what} for you.")


def malformed(detail: str) -> Problem:
    return Problem(400, Reason.MALFORMED.value, detail)
