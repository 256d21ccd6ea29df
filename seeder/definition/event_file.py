"""What stands in a file of `testdata/events`, as it is written."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from seeder.definition.extension import Strict
from seeder.definition.fields import Name, Text, VersionText

_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_SUBJECT: Final = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")


def _subject(text: str) -> str:
    if not _SUBJECT.fullmatch(text):
        raise ValueError(f"nothing can be published to {text!r}: name one subject, words with dots between them, no * or >")
    return text


def _type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise ValueError(f"{text!r} is not a name for a type of events; write it like OrderPlaced")
    return text


Subject = Annotated[str, AfterValidator(_subject), Field(json_schema_extra={"pattern": f"^{_SUBJECT.pattern}$"})]
TypeName = Annotated[str, AfterValidator(_type), Field(json_schema_extra={"pattern": f"^{_TYPE.pattern}$"})]
Headers = Annotated[dict[str, str], Field(description="of the message; values may hold references")]


class TypeItem(Strict):
    """One type of events."""

    subject: Annotated[Subject, Field(description="where it is published", examples=["orders.placed"])]
    description: str = ""
    headers: Headers = {}
    payload: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of the payload")] = {"type": "object"}


class EventFile(Strict):
    """Types of events that one team publishes."""

    events: Annotated[Name, Field(description="what the file is called")]
    version: VersionText
    stack: Name
    owner: Text | None = None
    types: Annotated[dict[TypeName, TypeItem], Field(min_length=1, description="OrderPlaced and the like")]
