"""Everything up for a run: servers behind proxies, sinks, the product, and one tenant to ask for messages."""

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.product_api import Api, add_customers, make_template, make_workflow
from chaos.demands import Demand
from chaos.load import Shop
from chaos.roles import Roles, commands
from chaos.servers import Servers, servers
from chaos.told import Told, launch
from dev.console import refuse
from dev.paths import ROOT
from dev.ports import HOST, free_port
from dev.processes import stop_all
from dev.waiting import wait_until

CUSTOMERS = 200
RETRY_SCHEDULE = "2,3,5,5,5,5,5"  # seconds; the product's own would let a run take hours
WELL = {"latency": 0.0, "reset": 0.0, "blackhole": False, "down": False, "cut_commits": 0.0}
LINKS = ("postgres", "valkey", "smtp", "http")


@dataclass(frozen=True)
class Blow:
    """Something was killed, cut or emptied, from `at` until `until`. `claims`: those `held` then by the struck (id of
    the message, fence), who may have sent them unseen."""

    at: float
    what: str
    until: float = float("inf")
    claims: frozenset[tuple[str, int]] = frozenset()
    held: int = 0


@dataclass
class Scene:
    """`environment` leads the product through the proxies; `blows` are those of the scenario under way, and what was
    `received` by it comes after so many bytes.

    `afterwards`: what a trouble wants judged when all has come to its end, beyond what every scenario demands.
    """

    folder: Path
    servers: Servers
    proxy: Told
    sinks: Told
    roles: Roles
    environment: Mapping[str, str]
    seed: int
    shop: Shop = field(init=False)
    received_before: int = 0
    blows: list[Blow] = field(default_factory=list)
    afterwards: list[Callable[[], Iterable[Demand]]] = field(default_factory=list)

    @property
    def received(self) -> Path:
        return self.folder / "received.jsonl"

    @contextmanager
    def strike(self, what: str, *lanes: str) -> Iterator[None]:
        """Around a blow. `lanes`: whose claims it puts in doubt. What is "sending" just before or after it: what the
        struck had claimed may be settled at once."""
        before = self.servers.claims(lanes) if lanes else frozenset()
        blow = Blow(time.time(), what)
        self.blows.append(blow)
        at = len(self.blows) - 1
        yield
        claims = before | self.servers.claims(lanes) if lanes else before
        self.blows[at] = replace(blow, until=time.time(), claims=claims, held=len(claims))

    def forget(self) -> None:
        """Before the next scenario."""
        self.received_before = self.received.stat().st_size
        self.blows.clear()
        self.afterwards.clear()

    def line(self, link: str, **troubles: object) -> None:
        self.proxy.order(link=link, **troubles)

    def heal(self) -> None:
        """No more troubles, and everybody up."""
        for link in LINKS:
            self.line(link, **WELL)
        self.sinks.order(shares={})
        self.roles.start(self.roles.commands)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.shop.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def scene(folder: Path, *, seed: int, sabotage: str = "") -> Iterator[Scene]:
    """Until the block ends; then everything is stopped, the product first."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "received.jsonl").unlink(missing_ok=True)
    with servers_folder() as private, servers(private) as there:
        sinks = launch("chaos.sinks", "--record", str(folder / "received.jsonl"), "--seed", str(seed))
        behind = {"postgres": there.postgres.port, "valkey": there.valkey.port, **sinks.ports}
        links = [part for name, port in behind.items() for part in ("--link", f"{name}={HOST}:{port}")]
        proxy = launch("chaos.proxy", *links, "--seed", str(seed))
        environment = settings(there, proxy.ports) | {"JOURNAL_DIR": str(private / "journal")}
        port = free_port()
        roles = Roles(commands(port, sabotage), environment, folder)
        made = Scene(folder, there, proxy, sinks, roles, environment, seed)
        try:
            manage(made, "migrate", "-v0")
            roles.start(roles.commands)
            made.shop = open_shop(made, f"http://{HOST}:{port}")
            yield made
        finally:
            roles.stop()
            stop_all([proxy.child, sinks.child], seconds=3)


@contextmanager
def servers_folder() -> Iterator[Path]:
    """Gone with the run, where an unprivileged PostgreSQL gets to its own folder inside."""
    with TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        yield Path(folder)


def settings(there: Servers, ports: Mapping[str, int]) -> dict[str, str]:
    """A production install with its limits off, led through the proxies."""
    broker = through(there.valkey.url, ports["valkey"])
    return {
        "DATABASE_URL": through(there.postgres.url, ports["postgres"]),
        "REDIS_URL": broker,
        "CELERY_BROKER_URL": broker,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "off",
        "REGISTRATION": "open",
        "EMAIL_HOST": HOST,
        "EMAIL_PORT": str(ports["smtp"]),
        "EGRESS_ALLOW": "127.0.0.0/8",
        "RETRY_SCHEDULE": RETRY_SCHEDULE,
        "LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }


def through(url: str, port: int) -> str:
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@{HOST}:{port}").geturl()


def manage(there: Scene, *arguments: str) -> subprocess.CompletedProcess[str]:
    """manage.py past the proxies. Refuses to go on when it crashes."""
    straight = {"DATABASE_URL": there.servers.postgres.url, "REDIS_URL": there.servers.valkey.url}
    environment = os.environ | dict(there.environment) | straight
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if "Traceback" in done.stderr:
        refuse(f"manage.py {arguments[0]} failed:\n{done.stderr[-2000:]}")
    return done


def open_shop(there: Scene, url: str) -> Shop:
    there.shop = Shop(url, "", "", "", "")
    if not wait_until(there.answers, seconds=60):
        refuse(f"The product did not come up; its logs are in {there.folder}")
    sink = f"http://{HOST}:{there.proxy.ports['http']}"
    hook, chat = f"{sink}/hook", f"{sink}/chat/"
    api = Api.at(url).register("Chaos & Sons")
    for channel in ("email", "webhook"):
        make_template(api, channel)
    make_workflow(api, ["email", "webhook"])
    add_customers(api, CUSTOMERS, addresses={"webhook": hook})
    tenant = there.servers.ask("SELECT id FROM tenants_tenant WHERE name = %s", "Chaos & Sons")[0][0]
    return Shop(url, str(tenant), api.key, hook, chat)
