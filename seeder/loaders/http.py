"""Replays a file of requests against a service's API."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Final

from seeder.definition.dataset import Part, PartKind
from seeder.errors import DefinitionError, EnvironmentFailed, Mark, in_words
from seeder.loaders import _json, _relative, _requests
from seeder.loaders._requests import Request

if TYPE_CHECKING:
    import httpx

    from seeder.protocols import World

_REFUSED: Final = 400
_SHOWN: Final = 500  # characters of an answer


class HttpCaller:
    kind: PartKind = "http"

    def read(self, part: Part, as_of: datetime.datetime) -> int:
        """How many requests the file holds. Raises DefinitionError with all that are badly written."""
        return len([_body(part, request, as_of) for request in _requests.read(part.path)])

    def call(self, part: Part, world: World) -> int:
        """Send the file's requests in order and answer how many; each must be answered below 400, or as its `# expect` says.
        Relative dates in JSON bodies are resolved. Raises DefinitionError for a badly written file, before anything is sent;
        EnvironmentFailed, naming file, line, request and the start of the answer, at the first that is not answered so."""
        requests = _requests.read(part.path)
        bodies = [_body(part, request, world.run.as_of) for request in requests]
        client = world.http(part.owner)
        for request, body in zip(requests, bodies, strict=True):
            _send(part, request, body, client)
        return len(requests)


def _body(part: Part, request: Request, as_of: datetime.datetime) -> str:
    """As written, unless it is JSON that holds relative dates."""
    if "as_of" not in request.body:
        return request.body
    try:
        given = _json.floats(_json.parse(request.body))
    except ValueError:
        return request.body
    try:
        resolved = _relative.resolve(given, as_of)
    except ValueError as error:
        raise DefinitionError(str(request), str(error), mark=Mark(part.path, request.line)) from error
    return json.dumps(resolved, ensure_ascii=False) if resolved != given else request.body


def _send(part: Part, request: Request, body: str, client: httpx.Client) -> None:
    import httpx

    headers = dict(request.headers)
    if body and body[0] in "{[" and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    mark, wanted = Mark(part.path, request.line), request.expect or f"below {_REFUSED}"
    try:
        answer = client.request(request.method, request.path, headers=headers, content=body.encode() or None)
    except httpx.HTTPError as error:
        cause = f"{part.owner} did not answer: {in_words(error)}"
        raise EnvironmentFailed(str(request), cause, f"see the log of {part.owner}", mark) from error
    good = answer.status_code == request.expect if request.expect else answer.status_code < _REFUSED
    if not good:
        cause = f"{part.owner} answered {answer.status_code} {answer.reason_phrase}, expected {wanted}: {_start(answer.text)}"
        raise EnvironmentFailed(str(request), cause, "correct the request, or the data it builds on", mark)


def _start(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
