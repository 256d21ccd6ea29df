"""Redis and Valkey: one store per numbered database of a server, all of them when none is named.

What a plan does not ask for is imported where it is used, so that short commands stay short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seeder.definition.dataset import PartKind
from seeder.definition.service import Service
from seeder.definition.stack import Store
from seeder.definition.stores import Traits
from seeder.engines import _image, _redis_client, _redis_image
from seeder.passed.launch import Launch, LocalLaunch
from seeder.passed.target import Address, Target
from seeder.protocols import Rewinder, Session
from seeder.wait import READY, Verdict, never, not_yet

if TYPE_CHECKING:
    from seeder.passed.content import Held, StoreDigest


class Redis:
    name = "redis"
    marks_alone = False
    traits = Traits(
        port=6379,
        images=frozenset({"redis", "valkey", "redis-stack", "redis-stack-server"}),
        programs=frozenset({"redis-server", "valkey-server", "redis-stack-server"}),
    )
    accepts: frozenset[PartKind] = frozenset({"keys"})

    def launch(self, service: Service) -> Launch:
        given = (words[0] for name, words in reversed(_redis_image.directives(service)) if name == "port" and words)
        return Launch(
            port=_image.number(service, "port", next(given, str(self.traits.port))),
            data=("/data", "/bitnami/redis/data", "/bitnami/valkey/data"),
        )

    def local(self, service: Service) -> LocalLaunch:
        return _redis_image.launch(service)

    def target(self, store: Store, service: Service, address: Address) -> Target:
        return Target(store.name, self.name, "redis", address, password=_redis_image.password(service), database=store.database)

    def probe(self, target: Target) -> Verdict:
        redis = _redis_client.driver()
        try:
            with _redis_client.raw(target, timeout=1.5) as client:
                client.ping()
        except redis.exceptions.AuthenticationError as error:
            return never(str(error))
        except redis.exceptions.BusyLoadingError as error:
            return not_yet(str(error))
        except (redis.exceptions.RedisError, OSError) as error:
            return not_yet(" ".join(str(error).split()) or "no answer")
        return READY

    def begin(self, target: Target, *, upsert: bool, natural_keys: Mapping[str, tuple[str, ...]]) -> Session:  # noqa: ARG002  (keys are natural)
        from seeder.engines._redis_load import RedisSession

        return RedisSession(target, upsert=upsert)

    def client(self, target: Target) -> tuple[list[str], dict[str, str]]:
        return _redis_client.interactive(target)

    def digest(self, target: Target, volatile: Sequence[str]) -> StoreDigest:
        from seeder.engines import _redis_state

        return _redis_state.digest(target, volatile)

    def held(self, target: Target, volatile: Sequence[str]) -> Iterable[Held]:
        from seeder.engines import _redis_held

        return _redis_held.held(target, volatile)

    def save(self, target: Target, folder: Path) -> None:
        from seeder.engines import _redis_state

        _redis_state.save(target, folder)

    def restore(self, target: Target, folder: Path) -> str:
        from seeder.engines import _redis_state

        return _redis_state.restore(target, folder)

    def rewinder(self, target: Target, folder: Path) -> Rewinder:
        from seeder.engines._redis_rewind import RedisRewinder

        return RedisRewinder(target, folder)

    def keys(self, target: Target, pattern: str) -> Mapping[str, float | None]:
        from seeder.engines import _redis_cache

        return _redis_cache.keys(target, pattern)

    def drop(self, target: Target, keys: Sequence[str]) -> None:
        from seeder.engines import _redis_cache

        _redis_cache.drop(target, keys)

    def expire(self, target: Target, keys: Sequence[str], left: float) -> None:
        from seeder.engines import _redis_cache

        _redis_cache.expire(target, keys, left)

    def replace(self, target: Target, key: str, value: Any) -> None:
        from seeder.engines import _redis_cache

        _redis_cache.replace(target, key, value)

    def lookup(self, target: Target, key: str) -> Any:
        from seeder.engines import _redis_state

        return _redis_state.lookup(target, key)
