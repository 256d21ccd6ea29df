"""Where a store, or anything else of an environment, can be reached."""

from __future__ import annotations

import urllib.parse
from dataclasses import field

from seeder.frozen import frozen

_PORTS = {"http": 80, "https": 443}


@frozen
class Address:
    """Where something can be reached from where seeder runs."""

    host: str
    port: int

    @classmethod
    def of(cls, url: str, usual: int | None = None) -> Address:
        """Where the URL leads; without a port to that of its scheme, else to the `usual` one. Raises ValueError when it names no host, or
        no port where there is no usual one."""
        found = urllib.parse.urlsplit(url)
        port = found.port or _PORTS.get(found.scheme, usual)
        if not found.hostname or not port:
            raise ValueError("names no host and port")
        return cls(found.hostname, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@frozen
class Target:
    """One store as it can be reached now. `password` never appears in the text form; `url` holds it."""

    store: str
    engine: str
    scheme: str
    address: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None

    @classmethod
    def at(cls, store: str, engine: str, url: str, usual: int) -> Target:
        """The store at this address, as `Address.of` tells it; `usual`: the engine's port."""
        found = urllib.parse.urlsplit(url)
        user, password = (urllib.parse.unquote(part) if part is not None else None for part in (found.username, found.password))
        database = urllib.parse.unquote(found.path.strip("/")) or None
        scheme = found.scheme.partition("+")[0]
        return cls(store, engine, scheme, Address.of(url, usual), user or None, password, database)

    def url(self, driver: str | None = None) -> str:
        """`scheme[+driver]://user:password@host:port/database`, credentials percent-encoded. A driver that names its scheme too
        (`postgresql+asyncpg`) is taken as it is."""
        quote = urllib.parse.quote
        login = ""
        if self.user is not None or self.password is not None:
            login = quote(self.user or "", safe="")
            login += f":{quote(self.password, safe='')}" if self.password is not None else ""
            login += "@"
        path = f"/{quote(self.database, safe='')}" if self.database is not None else ""
        whole = driver if driver and (driver == self.scheme or driver.startswith(f"{self.scheme}+")) else None
        scheme = whole or (f"{self.scheme}+{driver}" if driver else self.scheme)
        return f"{scheme}://{login}{self.address}{path}"
