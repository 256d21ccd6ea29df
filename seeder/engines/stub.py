"""Stubs of what is outside of the stack, by WireMock: one store per server. https://wiremock.org/docs

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition.dataset import Part, PartKind
from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.definition.stores import Traits
from seeder.engines import _image, _stub_image
from seeder.errors import Problem
from seeder.passed.launch import Launch, LocalLaunch
from seeder.passed.target import Address, Target
from seeder.protocols import Rewinder, Session
from seeder.wait import READY, Verdict, never, not_yet

if TYPE_CHECKING:
    from seeder.passed.content import Received, StoreDigest

_UNAUTHORISED, _GOOD = 401, 200


class Stub:
    name = "stub"
    marks_alone = False
    traits = Traits(port=_stub_image.PORT, images=frozenset({"wiremock"}), programs=frozenset({"docker-entrypoint.sh"}), http=True)
    accepts: frozenset[PartKind] = frozenset({"mappings"})

    def launch(self, service: Service) -> Launch:
        return Launch(port=_image.number(service, "port", _stub_image.options(service).get("port", str(_stub_image.PORT))), data=())

    def local(self, service: Service) -> LocalLaunch:
        return _stub_image.launch(service)

    def beyond(self, part: Part) -> Iterable[Problem]:
        return _stub_image.beyond(part)

    def target(self, store: Store, service: Service, address: Address) -> Target:
        user, password = _stub_image.login(service) or (None, None)
        return Target(store.name, self.name, "http", address, user, password)

    def probe(self, target: Target) -> Verdict:
        from seeder.engines import _stub_client

        try:
            status = _stub_client.status(target, "/mappings?limit=0", timeout=1.5)
        except (OSError, http.client.HTTPException) as error:
            return not_yet(str(error) or "no answer")
        if status == _UNAUTHORISED:
            return never("the admin API does not know this password")
        return READY if status == _GOOD else not_yet(f"the admin API answers {status}")

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:  # noqa: ARG002  (mappings have ids)
        from seeder.engines._stub_load import StubSession

        return StubSession(target, upsert=upsert)

    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest:
        from seeder.engines import _stub_state

        return _stub_state.digest(target, volatile)

    def save(self, target: Target, folder: Path) -> None:
        from seeder.engines import _stub_state

        _stub_state.save(target, folder)

    def restore(self, target: Target, folder: Path) -> str:
        from seeder.engines import _stub_state

        return _stub_state.restore(target, folder)

    def rewinder(self, target: Target, folder: Path) -> Rewinder:
        from seeder.engines._stub_rewind import StubRewinder

        return StubRewinder(target, folder)

    def calls(self, target: Target) -> list[Received]:
        from seeder.engines import _stub_state

        return _stub_state.calls(target)

    def answer(self, target: Target, mapping: Mapping[str, Any]) -> None:
        from seeder.engines import _stub_state

        _stub_state.answer(target, mapping)

    def forget(self, target: Target, mapping: str) -> None:
        from seeder.engines import _stub_state

        _stub_state.forget(target, mapping)
