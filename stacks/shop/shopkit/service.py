"""A service of the shop: FastAPI, problem+json, one log line per request, background threads, a health check."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shopkit import problems
from shopkit.auth import Check
from shopkit.database import engine
from shopkit.http import stopping

log = logging.getLogger("shop")


def service(name: str, check: Check, router: APIRouter, background: Sequence[Callable[[], None]] = ()) -> FastAPI:
    """The application `name`. All of `router` asks for credentials; `background` functions run until `stopping`."""
    log_to_stderr()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in background]
        for thread in threads:
            thread.start()
        yield
        stopping.set()
        for thread in threads:
            thread.join(timeout=2)

    app = FastAPI(title=name, version="2.3.0", lifespan=lifespan)
    app.add_middleware(RequestLog)
    problems.install(app)
    app.include_router(router, dependencies=[Depends(check)])
    app.get("/healthz", tags=["operations"])(healthz)
    return app


def healthz() -> dict[str, str]:
    """Fit to serve: the database answers. The broker may come later; the outbox keeps what it misses."""
    with engine().connect() as connection:
        connection.execute(text("select 1"))
    return {"status": "ok"}


class RequestLog:
    """One line per request: method, path, status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            if scope["path"] != "/healthz" or status != 200:
                log.info("%s %s %d %.1fms", scope["method"], scope["path"], status, (time.perf_counter() - started) * 1000)


def log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    log.handlers, log.level, log.propagate = [handler], logging.INFO, False
    logging.getLogger("uvicorn.access").disabled = True  # RequestLog says the same, on stderr


def every(interval: float, work: Callable[[], None], wake: threading.Event | None = None) -> None:
    """Call `work` each `interval` seconds, or as soon as `wake` is set, until the service stops; log what fails."""
    while not stopping.is_set():
        try:
            work()
        except Exception:
            log.exception("background work failed; it is tried again")
        (wake or stopping).wait(interval)
        if wake:
            wake.clear()
