"""NATS with JetStream: one store per server, holding its streams."""

from __future__ import annotations

from seeder.definition.stack import Service, Store
from seeder.engines import _nats_image, _nats_probe
from seeder.protocols import Address, Launch, LocalLaunch, Target
from seeder.wait import Verdict


class Nats:
    name = "nats"

    def launch(self, service: Service) -> Launch:
        settings = _nats_image.configuration(service)
        jetstream = settings.get("jetstream")
        folder = jetstream.get("store_dir") if isinstance(jetstream, dict) else None
        return Launch(port=int(settings.get("port") or 4222), data=tuple(dict.fromkeys([str(folder or "/tmp/nats"), "/data"])))  # noqa: S108  (where nats keeps streams when nothing is said)

    def local(self, service: Service) -> LocalLaunch:
        return _nats_image.launch(service)

    def target(self, store: Store, service: Service, address: Address) -> Target:
        login = _nats_image.login(service)
        user = login.token or login.user  # a token stands where a user would, as in nats://token@host
        return Target(store.name, self.name, "nats", address, user, login.password)

    def probe(self, target: Target) -> Verdict:
        return _nats_probe.look(target)
