import socket
from pathlib import Path

from dev.ports import HOST, free_port, is_free, kept_ports


def test_free_port_can_be_listened_on() -> None:
    with socket.create_server((HOST, free_port())):
        pass


def test_is_free_of_a_taken_port() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_kept_ports_stay_while_they_are_free(tmp_path: Path) -> None:
    before = kept_ports(tmp_path / "ports.json", ["postgres", "valkey"])

    assert kept_ports(tmp_path / "ports.json", ["postgres", "valkey"]) == before


def test_kept_ports_moves_only_what_was_taken(tmp_path: Path) -> None:
    before = kept_ports(tmp_path / "ports.json", ["postgres", "valkey"])

    with socket.create_server((HOST, before["valkey"])):
        now = kept_ports(tmp_path / "ports.json", ["postgres", "valkey"])

    assert now["postgres"] == before["postgres"]
    assert now["valkey"] != before["valkey"]
