"""Files of `generators/` that declare capabilities behind HTTP."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seeder import fingerprint
from seeder.definition.dotenv import variables_of
from seeder.definition.generator_file import CapabilityItem, GeneratorFile
from seeder.definition.interpolate import Invalid, interpolate
from seeder.definition.stack import Stack
from seeder.definition.validation import validated
from seeder.definition.yaml import Document, load
from seeder.errors import Collector, DefinitionError, Mark, nearest
from seeder.generators.http import Endpoint, Generator, here
from seeder.passed.capability import Capability
from seeder.promises import shape


def in_folder(folder: Path, stack: Stack, problems: Collector) -> Iterator[Generator]:
    """Those of all its files; what is wrong goes to `problems`."""
    for path in sorted(folder.glob("*.yml")):
        problems.add(path.name, "is not read as a file of generators", f"rename it to {path.stem}.yaml", Mark(path, 1))
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = load(path)
        except DefinitionError as error:
            problems.problems += error.problems
            continue
        if file := validated(GeneratorFile, document.data, problems, mark=document.mark()):
            yield from (_Declared(stack, document, file, name, problems).generator() for name in file.generators)


class _Declared:
    """One entry of a file, beside the stack that it is for."""

    def __init__(self, stack: Stack, document: Document, file: GeneratorFile, name: str, problems: Collector) -> None:
        self._stack, self._document, self._file, self._name, self._problems = stack, document, file, name, problems
        self._item: CapabilityItem = file.generators[name]

    def generator(self) -> Generator:
        item = self._item
        self._check_shapes()
        self._check_names()
        url, lacks = self._outside() if item.url else ("", "")
        capability = Capability(
            name=self._name,
            version=item.version,
            owner=self._file.owner,
            inputs={"type": "object", "additionalProperties": False, **json.loads(json.dumps(item.inputs))},
            outputs=json.loads(json.dumps(item.outputs)),
            mark=self._document.mark(("generators", self._name)),
            digest=fingerprint.content(self._document.path),
            contact=self._file.contact,
            description=item.description.strip(),
            origin=item.origin,
            key=item.key,
            finds=item.find is not None,
            undo=item.undo or "",
            within=item.within,
            shared=item.shared,
            service=item.service,
            lacks=lacks,
            known=item.url is None,
        )
        undo = item.undo if item.undo != "nothing" else None
        return Generator(capability, Endpoint(item.path, url, item.find, undo, tuple(item.unique), tuple(item.addresses)))

    def _wrong(self, cause: str, remedy: str, *way: str | int) -> None:
        subject = ".".join([self._name, *map(str, way)])
        self._problems.add(subject, cause, remedy, self._document.mark(("generators", self._name, *way)))

    def _check_shapes(self) -> None:
        for key, schema in (("inputs", self._item.inputs), ("outputs", self._item.outputs)):
            for way, why in shape.unreadable(schema):
                self._wrong(f"is no JSON Schema: {why}", "", key, *way)
        if shape.kinds(self._item.inputs) not in (set(), {"object"}):
            self._wrong("inputs are given by name", "write type: object, and `properties`", "inputs")

    def _check_names(self) -> None:
        item, stack = self._item, self._stack
        services = {*stack.services, *stack.absent}
        if item.service and item.service not in services:
            self._wrong(f"stack {stack.name} has no service {item.service}", nearest(item.service, sorted(services)), "service")
        elif item.service and (why := stack.speechless(item.service)):
            self._wrong(why, nearest(item.service, stack.answering), "service")
        known = {*services, *stack.stores, *stack.unasked}
        for place, name in enumerate(item.addresses):
            if name not in known:
                self._wrong(f"stack {stack.name} has no service or store {name}", nearest(name, sorted(known)), "addresses", place)
            elif why := self._apart(name):
                self._wrong(why, "let both join a network, or have the capability use what it reaches", "addresses", place)

    def _apart(self, name: str) -> str:
        """Why the service that answers cannot reach the other."""
        reader = self._stack.services.get(self._item.service or "")
        store = self._stack.stores.get(name)
        other = self._stack.services.get(store.service if store else name)
        if reader is None or other is None or reader is other:
            return ""
        if reader.network_mode:
            return f"{reader.name} is on no network of the stack (network_mode: {reader.network_mode}), and does not reach {name}"
        apart = reader.networks and other.networks and not set(reader.networks) & set(other.networks)
        return f"{reader.name} shares no network with {other.name}" if apart else ""

    def _outside(self) -> tuple[str, str]:
        """The address with its variables filled in, and why it cannot be asked."""
        given = self._item.url or ""
        try:
            url = interpolate(given, variables_of(self._stack.project_dir).get)
        except Invalid as error:
            return "", f"{given}: {error}"
        if not _is_address(url):
            return "", f"{given} is no address once its variables are filled in: set them"
        if self._item.addresses and not here(url):
            return "", f"it is told addresses of this machine, which {urllib.parse.urlsplit(url).hostname} does not reach"
        return url, ""


def _is_address(url: Any) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
