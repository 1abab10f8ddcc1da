"""No container engine runs these files in the tests, so their borders to the rest are checked instead."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def entrypoint_commands() -> set[str]:
    return set(re.findall(r"^([a-z]+)\)$", (ROOT / "deploy/entrypoint.sh").read_text(), re.MULTILINE))


def documented_variables() -> set[str]:
    return set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_compose_has_the_promised_services() -> None:
    ours, others = (
        {"nginx", "web", "streams", "worker", "dispatcher", "migrate"},
        {"postgres", "redis", "rabbitmq", "mail"},
    )
    assert set(SERVICES) == ours | others
    assert SERVICES["postgres"]["environment"] == {
        "POSTGRES_DB": "notification_db",
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "postgres",
    }


def test_api_is_on_port_8000_through_nginx_only() -> None:
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in SERVICES["web"]
    assert SERVICES["web"]["deploy"]["replicas"] > 1


def test_nginx_has_our_configuration_and_finds_the_web_service() -> None:
    [(folder, inside, mode)] = [volume.split(":") for volume in SERVICES["nginx"]["volumes"]]
    upstream = (ROOT / folder / "upstream.conf").read_text()

    assert (inside, mode) == ("/etc/nginx", "ro")
    assert "server web:8000 resolve;" in upstream
    assert "server streams:8000 resolve;" in upstream
    assert "listen 8000;" in (ROOT / folder / "servers/http.conf").read_text()


@pytest.mark.parametrize("name", OURS)
def test_command_is_one_the_entrypoint_knows(name: str) -> None:
    assert OURS[name]["command"][0] in entrypoint_commands()


@pytest.mark.parametrize("name", ["nginx", *OURS])
def test_service_runs_with_the_least_rights(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"migrate"}))
def test_service_waits_for_the_migrations(name: str) -> None:
    assert OURS[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_each_variable_is_in_the_example_file() -> None:
    taken = set(re.findall(r"\$\{([A-Z0-9_]+)", COMPOSE))
    named = set(OURS["web"]["environment"])

    assert (taken | named) - documented_variables() == set()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"http://localhost:8000(/[\w/]*)", COMPOSE))))
def test_each_address_is_one_of_ours(path: str) -> None:
    try:
        resolve(path)
    except Resolver404:
        pytest.fail(f"{path} is no URL of the product")
