"""The server on the wire: the API's requests come in threads of their own, and are answered where the proxies are at work."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from seeder.faults.proxyserver.api import Answer, Api
from seeder.machine import serving

ANSWER_SECONDS: Final = 25.0  # as the model


class Server:
    """Listens as soon as it is made, on port `port` or, if that is 0, on any. `asyncio.run(server.serve())` answers."""

    def __init__(self, host: str, port: int, seed: int | None = None, tell: Callable[[str], None] | None = None) -> None:
        self._http = _Http((host, port), _Handler)
        self._api = Api(random.Random(seed))  # noqa: S311  (chance, not secrets)
        self.tell = tell or (lambda _: None)
        self.address = self._http.server_address[:2]

    async def begin(self, proxies: Any) -> None:
        """Make these, as `POST /populate` does. Raises ValueError, and is of no use then."""
        answer = await self._api.answer("POST", "/populate", json.dumps(proxies or []).encode())
        if "error" in answer.body:
            await self.close()
            raise ValueError(answer.body["error"])

    async def serve(self, ended: asyncio.Event | None = None) -> None:
        """Until it is cancelled, or the event comes."""
        self._http.ask = self._asker(asyncio.get_running_loop())
        thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, name="proxyserver-api", daemon=True)
        thread.start()
        try:
            await (ended or asyncio.Event()).wait()
        finally:
            self._http.shutdown()
            await self.close()

    async def close(self) -> None:
        self._http.server_close()
        await self._api.close()

    async def ask(self, method: str, path: str, body: bytes) -> Answer:
        """As a request does, of who is in the same program."""
        answer = await self._api.answer(method, path, body)
        if method != "GET":
            self.tell(f"{method} {path}: {answer.status}")
        return answer

    def _asker(self, loop: asyncio.AbstractEventLoop) -> Callable[[str, str, bytes], Answer]:
        def ask(method: str, path: str, body: bytes) -> Answer:
            return asyncio.run_coroutine_threadsafe(self.ask(method, path, body), loop).result(ANSWER_SECONDS)

        return ask


def run(port: int, *, seed: int | None = None, proxies: Any = (), tell: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 until SIGINT or SIGTERM; `proxies` as `POST /populate` takes them. Raises OSError when the port is not free,
    ValueError when a proxy cannot be made."""
    asyncio.run(_run(Server("127.0.0.1", port, seed, tell), proxies))


async def _run(server: Server, proxies: Any) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    await server.begin(proxies)
    server.tell(f"listening on http://127.0.0.1:{server.address[1]}")
    await server.serve(ended)


class _Http(serving.Server):
    ask: Callable[[str, str, bytes], Answer]


class _Handler(serving.Handler):
    server: _Http
    timeout = 60

    def received(self) -> None:
        body = self.body()
        if self.headers.get("User-Agent", "").startswith("Mozilla/"):  # a page that somebody looks at must not reach it
            self._send(Answer(403, "User agent not allowed\n"))
        else:
            self._send(self.server.ask(self.command, self.path, body))

    def _send(self, answer: Answer) -> None:
        body = b""
        if answer.body is not None:
            body = answer.body.encode() if answer.is_text else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        if answer.methods:
            self.send_header("Allow", ", ".join(answer.methods))
        if body:
            self.send_header("Content-Type", "text/plain; charset=utf-8" if answer.is_text else "application/json")
        if answer.status != 204:  # noqa: PLR2004  (which has no body)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
