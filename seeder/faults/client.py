"""A small client of Toxiproxy's HTTP API: https://github.com/Shopify/toxiproxy#http-api. Every call has a time limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from seeder.errors import EnvironmentFailed, in_words
from seeder.faults.proxyserver.toxics import Stream
from seeder.frozen import frozen

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 10.0  # for one call


@frozen
class Toxic:
    """What is done to one direction of a proxy; `toxicity`: to which share of its connections."""

    name: str
    type: str
    stream: Stream
    toxicity: float
    attributes: Mapping[str, int]


@frozen
class Proxy:
    """`listen` and `upstream` are `host:port`."""

    name: str
    listen: str
    upstream: str
    enabled: bool = True
    toxics: tuple[Toxic, ...] = ()


class Refused(EnvironmentFailed):
    """The server answered that it will not; `status` says why, as HTTP does."""

    status: int = 0


class Toxiproxy:
    """The server at this address. Everything raises EnvironmentFailed when it does not answer, Refused when it refuses."""

    def __init__(self, url: str) -> None:
        import httpx

        self.url = url
        self._http = httpx.Client(base_url=url, timeout=SECONDS, trust_env=False)

    def version(self) -> str:
        return str(self._ask("GET", "/version")["version"])

    # -- proxies ------------------------------------------------------------------------------------------------------

    def proxies(self) -> dict[str, Proxy]:
        return {name: _proxy(one) for name, one in self._ask("GET", "/proxies").items()}

    def proxy(self, name: str) -> Proxy:
        return _proxy(self._ask("GET", _path(name)))

    def create(self, name: str, listen: str, upstream: str, *, enabled: bool = True) -> Proxy:
        return _proxy(self._ask("POST", "/proxies", {"name": name, "listen": listen, "upstream": upstream, "enabled": enabled}))

    def populate(self, proxies: Iterable[Proxy]) -> list[Proxy]:
        """Create those that are not there yet, and replace those that are other ones; all at once."""
        given = [{"name": one.name, "listen": one.listen, "upstream": one.upstream, "enabled": one.enabled} for one in proxies]
        return [_proxy(one) for one in self._ask("POST", "/populate", given)["proxies"]]

    def change(self, name: str, *, listen: str | None = None, upstream: str | None = None, enabled: bool | None = None) -> Proxy:
        """What is given. One that is not enabled refuses connections, and has closed those that it had."""
        given = {"listen": listen, "upstream": upstream, "enabled": enabled}
        return _proxy(self._ask("PATCH", _path(name), {key: value for key, value in given.items() if value is not None}))

    def delete(self, name: str) -> None:
        self._ask("DELETE", _path(name))

    def reset(self) -> None:
        """Every proxy is enabled, and has no toxics."""
        self._ask("POST", "/reset")

    # -- toxics -------------------------------------------------------------------------------------------------------

    def add(
        self,
        proxy: str,
        type: str,  # noqa: A002  (the API's word)
        attributes: Mapping[str, int] | None = None,
        *,
        stream: Stream = "downstream",
        toxicity: float = 1.0,
        name: str = "",
    ) -> Toxic:
        """Connections that are open have it from now on, too."""
        given = {"name": name, "type": type, "stream": stream, "toxicity": toxicity, "attributes": dict(attributes or {})}
        return _toxic(self._ask("POST", f"{_path(proxy)}/toxics", given))

    def toxics(self, proxy: str) -> list[Toxic]:
        return [_toxic(one) for one in self._ask("GET", f"{_path(proxy)}/toxics")]

    def toxic(self, proxy: str, name: str) -> Toxic:
        return _toxic(self._ask("GET", _path(proxy, name)))

    def adjust(self, proxy: str, name: str, attributes: Mapping[str, int] | None = None, *, toxicity: float | None = None) -> Toxic:
        """Other attributes; those that are not named stay."""
        given = {"attributes": dict(attributes or {})} | ({} if toxicity is None else {"toxicity": toxicity})
        return _toxic(self._ask("PATCH", _path(proxy, name), given))

    def remove(self, proxy: str, name: str) -> None:
        self._ask("DELETE", _path(proxy, name))

    # -- the wire -----------------------------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, given: Any = None) -> Any:
        import httpx

        try:
            answer = self._http.request(method, path, json=given)
        except httpx.HTTPError as error:
            raise EnvironmentFailed(f"toxiproxy {self.url}", f"does not answer {method} {path}: {in_words(error)}") from error
        if answer.is_error:
            wrong = Refused(f"toxiproxy {self.url}", f"{method} {path}: {_said(answer)}")
            wrong.status = answer.status_code
            raise wrong
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._http.close()


def _path(proxy: str, toxic: str | None = None) -> str:
    from urllib.parse import quote

    return f"/proxies/{quote(proxy, safe='')}" + ("" if toxic is None else f"/toxics/{quote(toxic, safe='')}")


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text.strip()}"


def _proxy(given: Mapping[str, Any]) -> Proxy:
    toxics = tuple(_toxic(one) for one in given["toxics"])
    return Proxy(given["name"], given["listen"], given["upstream"], given["enabled"], toxics)


def _toxic(given: Mapping[str, Any]) -> Toxic:
    return Toxic(given["name"], given["type"], given["stream"], given["toxicity"], dict(given["attributes"] or {}))
