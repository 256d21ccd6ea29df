"""Consumes what happens to accounts, each message once whatever the broker does, and answers with what it came to; greets, from a cache."""

import asyncio
import http.server
import json
import os
import signal
import sys
import threading

import nats
import redis

CACHE = redis.Redis.from_url(os.environ["CACHE_URL"], decode_responses=True)
NEXT = {"accounts.created": ("", "created"), "accounts.verified": ("created", "verified"), "accounts.activated": ("verified", "active")}
READY = threading.Event()


def take(message_id: str, subject: str, payload: dict) -> None:
    if not CACHE.set(f"seen:{message_id}", "1", nx=True):
        return
    key = f"account:{payload['account']}"
    before, after = NEXT[subject]
    if (CACHE.hget(key, "status") or "") == before:
        CACHE.hset(key, "status", after)
    CACHE.hincrby(key, "mails", 1)


async def consume() -> None:
    stream = (await nats.connect(os.environ["EVENTS_URL"], max_reconnect_attempts=-1, reconnect_time_wait=0.1)).jetstream()
    await stream.add_stream(name="accounts", subjects=["accounts.>"])
    waiting = await stream.pull_subscribe("accounts.>", durable="inbox", stream="accounts")
    READY.set()
    while True:
        try:
            for message in await waiting.fetch(10, timeout=0.2):
                try:
                    take(message.headers["Nats-Msg-Id"], message.subject, json.loads(message.data))
                except (ValueError, KeyError):
                    await message.term()
                else:
                    await message.ack()
        except TimeoutError:
            continue
        except Exception:  # noqa: BLE001  (the stream is replaced while the stack is taken back)
            await asyncio.sleep(0.05)


def greeting(name: str, *, past: bool) -> dict:
    """What the source says, kept for five minutes, unless somebody asks past the cache or there is none."""
    key, text = f"greeting:{name}", f"{CACHE.get('source') or 'hello'} {name}"
    if past or os.environ["CACHE"] == "off":
        return {"text": text}
    CACHE.set(key, text, ex=300, nx=True)
    return {"text": CACHE.get(key)}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = {"ok": True} if READY.is_set() else None
        if self.path.startswith("/accounts/"):
            key = "account:" + self.path.rsplit("/", 1)[1]
            found = CACHE.hgetall(key)
        if self.path.startswith("/greetings/"):
            found = greeting(self.path.rsplit("/", 1)[1], past=self.headers.get("Cache-Control") == "no-cache")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found or {}).encode())

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
threading.Thread(target=lambda: asyncio.run(consume()), daemon=True).start()
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
