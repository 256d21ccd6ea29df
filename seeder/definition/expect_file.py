"""What may be expected in a scenario, as it is written."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, Tag, model_validator

from seeder.definition.extension import Strict
from seeder.definition.fields import Duration, Text, UrlPath, told_by

_FORMS: Final = {"query": "QueryItem", "http": "HttpItem", "event": "EventItem", "key": "KeyItem", "stub": "StubItem"}


class QueryItem(Strict):
    """A query's answer."""

    store: Text
    query: Annotated[Text, Field(description="one statement; `:name` are parameters")]
    with_: Annotated[dict[str, Any], Field(alias="with", description="parameters; outputs and inputs are known by name")] = {}
    equals: Annotated[Any, Field(description="a scalar, or rows as lists")]
    within: Duration = 5.0


class HttpItem(Strict):
    """A service's answer."""

    http: Annotated[Text, Field(description="the service")]
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: UrlPath
    status: Annotated[int, Field(strict=True, ge=100, le=599)] = 200
    equals: Annotated[Any, Field(description="a part of the JSON body")] = None
    within: Duration = 5.0


class EventItem(Strict):
    """Messages that were published."""

    event: Annotated[Text, Field(description="the subject")]
    store: Annotated[Text | None, Field(description="may be left out where one store holds messages")] = None
    where: Annotated[dict[str, Any], Field(description="a part of the payload")] = {}
    at_least: Annotated[int, Field(strict=True, ge=1)] = 1
    within: Duration = 5.0


class KeyItem(Strict):
    """A key of a cache: its value, or whether it is there."""

    key: Text
    store: Annotated[Text | None, Field(description="may be left out where one store holds keys")] = None
    equals: Any = None
    exists: Annotated[bool | None, Field(strict=True)] = None
    within: Duration = 5.0

    @model_validator(mode="after")
    def _exactly_one(self) -> KeyItem:
        if ("equals" in self.model_fields_set) == (self.exists is not None):
            raise ValueError("needs exactly one of equals, exists")
        return self


class CallItem(Strict):
    """A call that a stub received, as far as it matters."""

    method: Text | None = None
    path: Annotated[UrlPath | None, Field(description="without the query")] = None
    query: dict[str, str | int | float | bool] = {}
    headers: dict[str, str | int | float | bool] = {}
    body: Annotated[Any, Field(description="a part of the JSON body, or the text")] = None


class StubItem(Strict):
    """Calls that a stub received: at least so many, or so many exactly."""

    stub: Annotated[Text, Field(description="the store")]
    where: CallItem = CallItem.model_construct()
    at_least: Annotated[int, Field(strict=True, ge=1)] = 1
    count: Annotated[int | None, Field(strict=True, ge=0, description="exactly so many, once all is quiet")] = None
    within: Duration = 5.0

    @model_validator(mode="after")
    def _one_number(self) -> StubItem:
        if self.count is not None and "at_least" in self.model_fields_set:
            raise ValueError("takes at_least or count, not both")
        return self


ExpectItem = Annotated[
    Annotated[QueryItem, Tag("QueryItem")]
    | Annotated[HttpItem, Tag("HttpItem")]
    | Annotated[EventItem, Tag("EventItem")]
    | Annotated[KeyItem, Tag("KeyItem")]
    | Annotated[StubItem, Tag("StubItem")],
    told_by(_FORMS),
]
