"""An engine as another package would bring it: it knows seeder's protocols, and seeder knows nothing of it."""

import hashlib
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path

from seeder.definition.stores import Traits
from seeder.passed.content import StoreDigest
from seeder.passed.launch import Launch, LocalLaunch
from seeder.passed.target import Target
from seeder.protocols import Finality
from seeder.wait import READY, not_yet

PORT = 7070


class Shelf:
    name = "shelf"
    traits = Traits(port=PORT, images=frozenset({"shelf"}), programs=frozenset({"shelf-server"}))
    accepts = frozenset({"keys"})

    def launch(self, service):
        return Launch(port=PORT, data=("/data",))

    def local(self, service):
        server = Path(__file__).with_name("shelf_server.py")
        return LocalLaunch(program="Shelf 1.0", command=(sys.executable, str(server), "{host}", "{port}", "{data}/shelf.sqlite"))

    def target(self, store, service, address):
        return Target(store.name, self.name, "http", address)

    def probe(self, target):
        try:
            everything(target)
        except urllib.error.URLError as error:
            return not_yet(str(error.reason))
        return READY

    def begin(self, target, *, upsert, natural_keys):
        return Session(target)

    def digest(self, target, volatile):
        held = {key: value for key, value in everything(target).items() if key not in volatile}
        digest = hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()
        return StoreDigest.of({"key": (len(held), digest)} if held else {})


class Session:
    finality = Finality.FINAL

    def __init__(self, target):
        self.target = target
        self.held = {}

    def load(self, records):
        for file in records:
            self.held |= {key.key: key.value for key in file.keys}
        return {file.part.name: len(file.keys) for file in records}

    def verify(self):
        pass

    def commit(self):
        request = urllib.request.Request(target_url(self.target), json.dumps(self.held).encode(), method="PUT")
        urllib.request.urlopen(request, timeout=2).close()

    def rollback(self):
        self.held = {}


def everything(target):
    with urllib.request.urlopen(target_url(target), timeout=2) as answer:
        return json.load(answer)


def target_url(target):
    return f"{target.url()}/"
