"""What stands in a file of `generators/` that declares capabilities behind HTTP, as it is written."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from seeder.definition.extension import Strict
from seeder.definition.fields import Duration, Text, UrlPath, VersionText

CAPABILITY: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+")


def capability_name(text: str) -> str:
    """The name itself. Raises ValueError for one that is not DOMAIN.WHAT_IT_DOES."""
    if not CAPABILITY.fullmatch(text):
        raise ValueError(f"{text!r} is no name of a capability; write DOMAIN.WHAT_IT_DOES in small letters: customers.create")
    return text


CapabilityName = Annotated[str, AfterValidator(capability_name), Field(json_schema_extra={"pattern": f"^{CAPABILITY.pattern}$"})]
Shape = Annotated[dict[str, Any], Field(description="JSON Schema (2020-12)")]


class CapabilityItem(Strict):
    """One capability, which an HTTP endpoint brings about: exactly one of `service` and `url` says where that is."""

    use: Literal["http"]
    version: VersionText
    service: Annotated[Text | None, Field(description="the service of the stack that answers")] = None
    url: Annotated[Text | None, Field(description="where others answer; variables as in compose files", examples=["${MAIL}"])] = None
    path: Annotated[UrlPath, Field(description="what is asked with POST")]
    find: Annotated[UrlPath | None, Field(description="what is asked, likewise, for what an earlier try made; 404: nothing")] = None
    key: Annotated[Text | None, Field(description="requests carry an Idempotency-Key that begins so, the same at every try")] = None
    undo: Annotated[
        UrlPath | Literal["nothing"] | None,
        Field(description="what is asked, with what it answered as `made`, to take that back; `nothing`: there is nothing to take back"),
    ] = None
    within: Annotated[Duration, Field(description="the time limit of one try", json_schema_extra={"default": "30s"})] = 30.0
    origin: Annotated[
        Literal["services", "inserted"], Field(description="`services`: it acts as the product would; `inserted`: it writes into a store")
    ] = "services"
    shared: Annotated[bool, Field(strict=True, description="`false`: it touches what is not its own, and is refused in shared systems")] = (
        True
    )
    description: str = ""
    inputs: Shape = {"type": "object", "properties": {}}
    outputs: Shape
    unique: Annotated[list[Text], Field(description="names of values that it is given, which no other step gets")] = []
    addresses: Annotated[list[Text], Field(description="services and stores whose addresses it is told")] = []

    @model_validator(mode="after")
    def _one_place(self) -> CapabilityItem:
        if (self.service is None) == (self.url is None):
            raise ValueError("needs exactly one of service, url")
        return self


class GeneratorFile(Strict):
    """What one team offers to scenarios, by programs in any language."""

    owner: Annotated[Text, Field(description="the team that is told what goes wrong")]
    contact: Annotated[str, Field(description="where the team is reached")] = ""
    generators: Annotated[
        dict[CapabilityName, CapabilityItem],
        Field(min_length=1, description="what can be asked for, by its name", json_schema_extra={"additionalProperties": False}),
    ]
