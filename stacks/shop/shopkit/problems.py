"""What goes wrong is told as problem+json (RFC 9457): never a bare 500 for a state that has a name."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.exceptions import HTTPException

log = logging.getLogger("shop")


class Problem(Exception):
    """An answer that is not what was asked for. `code` is for programs, `detail` for people."""

    def __init__(self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.headers, self.more = headers or {}, more

    def response(self) -> JSONResponse:
        body = {"type": f"urn:shop:{self.code}", "title": self.code, "status": self.status, "detail": self.detail}
        return JSONResponse(body | self.more, self.status, self.headers, media_type="application/problem+json")


def not_found(what: str, key: object) -> Problem:
    return Problem(404, "not_found", f"there is no {what} {key}")


def unavailable(what: str) -> Problem:
    return Problem(503, "unavailable", f"{what} does not answer; try again", headers={"Retry-After": "1"})


def install(app: FastAPI) -> None:
    """Answer every exception of `app` as problem+json."""

    @app.exception_handler(Problem)
    def problem(_: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        return Problem(error.status_code, "http_error", str(error.detail), headers=dict(error.headers or {})).response()

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        places = [{"at": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        return Problem(422, "invalid", "the request does not fit the schema", errors=places).response()

    @app.exception_handler(IntegrityError)
    def conflict(_: Request, error: IntegrityError) -> JSONResponse:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        return Problem(409, "conflict", f"the data breaks {constraint}", constraint=constraint).response()

    @app.exception_handler(OperationalError)
    @app.exception_handler(NoConnection)
    def no_database(_: Request, error: Exception) -> JSONResponse:
        log.warning("database: %s", error)
        return unavailable("the database").response()

    @app.exception_handler(Exception)
    def unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("unexpected", exc_info=error)
        return Problem(500, "internal", "an unexpected error; the log has it").response()
