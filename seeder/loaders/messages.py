"""Messages of a stream, one JSON object per line, in the order in which they were published."""

from __future__ import annotations

import datetime
from typing import Any, Final

from seeder.definition.dataset import Part, PartKind
from seeder.loaders import _fields
from seeder.loaders._fields import Wrong
from seeder.passed.content import Message, Messages

_KNOWN: Final = ("subject", "headers", "payload")


class MessagesLoader:
    kind: PartKind = "messages"

    def read(self, part: Part, as_of: datetime.datetime) -> Messages:
        """`{"subject": ..., "headers": {...}, "payload": JSON or text}` per line. Raises DefinitionError with all bad lines."""
        return Messages(part, _fields.read(part.path, _message, as_of, _KNOWN))


def _message(line: int, given: dict[str, Any]) -> Message:
    subject = _fields.text(given, "subject")
    if any(character.isspace() for character in subject) or "" in subject.split(".") or {"*", ">"} & set(subject.split(".")):
        raise Wrong("subject", f"nothing can be published to {subject!r}", "name one subject: words, dots between them, no * or >")
    if "payload" not in given:
        raise Wrong("payload", "the field is missing", 'write "payload": null for a message without one')
    return Message(line, subject, _headers(given.get("headers") or {}), given["payload"])


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise Wrong("headers", "is no mapping of names to text", 'write {"Name": "value"}')
    return value
