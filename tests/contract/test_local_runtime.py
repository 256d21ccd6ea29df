"""The local runtime keeps the runtimes' contract."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from seeder import warden
from tests.contract.runtime_contract import Opened, RuntimeContract


class TestLocal(RuntimeContract):
    name = "local"

    def test_a_sweep_removes_the_folder_and_gives_back_the_ports(self, one: Opened) -> None:
        one.up("peer")
        removed = warden.sweep(one.run.id, "local").removed
        assert not one.run.folder.exists()
        assert {f"port {address.port}" for address in one.addresses.values()} <= set(removed)

    def test_another_process_can_sweep_what_this_one_started(self, one: Opened) -> None:
        one.up("cache", "peer")
        code = f"from seeder import warden; print(warden.sweep('{one.run.id}', 'local').left)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "()"
        assert one.deployment.look("peer", "healthy").state == "never"

    def test_services_get_nothing_of_the_shell_but_what_describes_the_machine(
        self, open_run: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://production/orders")
        monkeypatch.setenv("SSL_CERT_FILE", "/etc/ca.pem")
        one = open_run()
        one.up("peer")
        environment = one.get("peer", "/environment")
        assert "DATABASE_URL" not in environment
        assert environment["SSL_CERT_FILE"] == "/etc/ca.pem"
        assert environment["SEEDER_OWNER"] == one.run.id
        assert environment["TMPDIR"].startswith(str(one.run.folder))

    def test_a_taken_port_is_named_with_who_has_it(self, one: Opened) -> None:
        import socket

        from seeder.runtimes import _ports
        from seeder.wait import wait_for

        address = one.addresses["peer", 8000]
        _ports.let_go(address.port)
        with socket.create_server((address.host, address.port)):
            one.deployment.start("peer")
            with pytest.raises(Exception, match=rf"port {address.port} is taken by pid \d+"):
                wait_for("peer", lambda: one.deployment.look("peer", "completed"), within=30)
