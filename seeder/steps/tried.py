"""What came of one try of a capability, judged by what was raised in it and by what it had sent till then. Pure."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Literal

from seeder.errors import RefusedStatement, SeederError, in_words
from seeder.frozen import frozen
from seeder.passed.capability import Capability, Write
from seeder.passed.outcome import Badly, DependencyFailed, Outcome, TryAgain

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # methods of requests that change nothing
LATER: Final = frozenset({408, 425, 429})  # answers that say: the same request again, later
SOON: Final = 0.5  # seconds after which a try is worth another where nobody says when
LONGEST: Final = 400  # characters of an answer in a message


@frozen
class Tried:
    """What is known after one try. `failed`: it made nothing; `unknown`: it may have. `again`: seconds after which another one may be
    made and may work."""

    state: Literal["confirmed", "failed", "unknown"]
    reason: str = ""
    made: Any = None
    again: float | None = None
    blame: str = ""  # who else is to be asked
    log: str = field(default="", compare=False)


def judged(error: BaseException, about: Capability, writes: Sequence[Write] = ()) -> Tried:
    """What a try came to that ended so. An Outcome is the team's own word, and holds. Everything else made nothing only where it can be
    seen: where nothing was sent before that may have changed something."""
    import httpx

    if isinstance(error, TryAgain):
        return Tried("failed", error.reason, again=error.after)
    if isinstance(error, Outcome):
        return Tried("failed", error.reason, blame=error.who if isinstance(error, DependencyFailed) else "")
    if isinstance(error, httpx.HTTPStatusError):
        return _answered(error, about, writes)
    if isinstance(error, httpx.TransportError):
        return _unanswered(error, about, writes)
    if isinstance(error, SeederError):
        # What a store refuses it did not do.
        return _doubted(Tried("failed", _told(error), log=error.log), about, writes[:-1] if isinstance(error, RefusedStatement) else writes)
    if isinstance(error, Badly):
        return Tried("unknown", str(error))
    if isinstance(error, TimeoutError):
        return Tried("unknown", f"no answer: {in_words(error)}", again=SOON if about.repeats else None)
    return Tried("unknown", f"{type(error).__name__}: {error}{_place(error, about)}")


def _answered(error: Any, about: Capability, writes: Sequence[Write]) -> Tried:
    answer, request = error.response, error.request
    said = f"{request.method} {request.url.path} was answered with {answer.status_code}: {told(answer)}"
    later = after(answer) if answer.status_code in LATER or answer.is_server_error else None
    refused = answer.is_client_error or request.method in SAFE
    others = [one for one in writes if one.by is not request]
    if refused:
        return _doubted(Tried("failed", said, again=later), about, others)
    return Tried("unknown", said + _after(others), again=later if about.repeats else None)


def _unanswered(error: Any, about: Capability, writes: Sequence[Write]) -> Tried:
    import httpx

    request = getattr(error, "_request", None)  # `request` raises where there is none
    if isinstance(error, httpx.UnsupportedProtocol):  # nothing was sent, nor ever will be
        return _doubted(Tried("failed", in_words(error)), about, [one for one in writes if one.by is not request or request is None])
    nobody = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)  # nothing was sent
    said = f"{'nobody answers' if nobody else 'no answer'}: {in_words(error)}"
    others = [one for one in writes if one.by is not request or request is None]
    if nobody or (request is not None and request.method in SAFE):
        return _doubted(Tried("failed", said, again=SOON), about, others)
    return Tried("unknown", said + _after(others), again=SOON if about.repeats else None)


def _doubted(found: Tried, about: Capability, others: Sequence[Write]) -> Tried:
    """The same, if nothing else was sent; else it is unknown, and tried again only where that does no harm."""
    if not others:
        return found
    again = found.again if about.repeats else None
    return Tried("unknown", found.reason + _after(others), again=again, log=found.log)


def _after(others: Sequence[Write]) -> str:
    return f" (after {', '.join(one.what for one in others)})" if others else ""


def after(answer: Any) -> float:
    """The seconds that `Retry-After` asks to wait (RFC 9110, 10.2.3: seconds, or a date, which counts from that of the answer)."""
    said = answer.headers.get("Retry-After", "")
    if said.isdecimal():
        return float(said)
    try:
        until, since = parsedate_to_datetime(said), answer.headers.get("Date")
        return max(0.0, (until - (parsedate_to_datetime(since) if since else datetime.now(UTC))).total_seconds())
    except (ValueError, TypeError):  # nothing, no date, or one of them without its zone
        return SOON


def told(answer: Any) -> str:
    """What an answer says went wrong: of a problem (RFC 9457) its title and detail, else its text."""
    found = problem(answer)
    words = [str(found[name]) for name in ("title", "detail") if found.get(name)]
    return (": ".join(words) or answer.text)[:LONGEST]


def problem(answer: Any) -> Mapping[str, Any]:
    """The members of a problem (RFC 9457); none where the answer is no such thing."""
    if answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/problem+json":
        return {}
    try:
        found = json.loads(answer.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _told(error: SeederError) -> str:
    first = error.problems[0]
    return f"{first.subject}: {first.cause}{f' ({first.remedy})' if first.remedy else ''}"


def _place(error: BaseException, about: Capability) -> str:
    """The last line of the team's own file that was at work."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(about.mark.file)]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
