"""NATS with JetStream: one store per server, holding its streams.

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seeder.definition.dataset import PartKind
from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.definition.stores import Traits
from seeder.engines import _image, _nats_image, _nats_probe
from seeder.passed.launch import Launch, LocalLaunch
from seeder.passed.target import Address, Target
from seeder.protocols import Rewinder, Session
from seeder.wait import Verdict

if TYPE_CHECKING:
    from seeder.passed.content import Held, Message, Post, StoreDigest


class Nats:
    name = "nats"
    marks_alone = False
    traits = Traits(port=4222, images=frozenset({"nats"}), programs=frozenset({"nats-server"}))
    accepts: frozenset[PartKind] = frozenset({"messages"})

    def launch(self, service: Service) -> Launch:
        settings = _nats_image.configuration(service)
        jetstream = settings.get("jetstream")
        folder = jetstream.get("store_dir") if isinstance(jetstream, dict) else None
        data = (str(folder or "/tmp/nats"), "/data")  # noqa: S108  (where nats keeps streams when nothing is said)
        return Launch(port=_image.number(service, "port", str(settings.get("port") or self.traits.port)), data=tuple(dict.fromkeys(data)))

    def local(self, service: Service) -> LocalLaunch:
        return _nats_image.launch(service)

    def target(self, store: Store, service: Service, address: Address) -> Target:
        login = _nats_image.login(service)
        user = login.token or login.user  # a token stands where a user would, as in nats://token@host
        return Target(store.name, self.name, "nats", address, user, login.password)

    def probe(self, target: Target) -> Verdict:
        return _nats_probe.look(target)

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:  # noqa: ARG002  (messages have their ids)
        from seeder.engines._nats_load import NatsSession

        return NatsSession(target, upsert=upsert)

    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest:
        from seeder.engines import _nats_state

        return _nats_state.digest(target, volatile)

    def held(self, target: Target, volatile: Sequence[str]) -> Iterable[Held]:
        from seeder.engines import _nats_held

        return _nats_held.held(target, volatile)

    def save(self, target: Target, folder: Path) -> None:
        from seeder.engines import _nats_state

        _nats_state.save(target, folder)

    def restore(self, target: Target, folder: Path) -> str:
        from seeder.engines import _nats_state

        return _nats_state.restore(target, folder)

    def rewinder(self, target: Target, folder: Path) -> Rewinder:
        from seeder.engines._nats_rewind import NatsRewinder

        return NatsRewinder(target, folder)

    def settled(self, target: Target, store: Store) -> Verdict:  # noqa: ARG002  (consumers tell, no query)
        from seeder.engines import _nats_state

        return _nats_state.settled(target)

    def publish(self, target: Target, posts: Sequence[Post], *, again: bool = False) -> None:
        from seeder.engines import _nats_publish

        _nats_publish.publish(target, posts, again=again)

    def messages(self, target: Target, subject: str) -> list[Message]:
        from seeder.engines import _nats_state

        return _nats_state.messages(target, subject)
