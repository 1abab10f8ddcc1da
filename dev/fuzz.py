"""`make fuzz`: Schemathesis asks the running product whatever the OpenAPI document allows, and much that it forbids.

Two rounds with one tenant's key. The first names another tenant's objects: nothing may be found. The second reads and
writes freely: nothing may answer 5xx, nor with a status, a content type or a body that is not documented.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from dev.bootstrap import FUZZER, uv_settings
from dev.console import paint, progress, refuse, say
from dev.paths import BIN, ROOT
from dev.ports import free_port
from dev.processes import Child
from dev.run import everything
from dev.supervisor import Logs, Stopped, stoppable
from dev.waiting import wait_until

VENV = ROOT / ".venv-fuzz"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
OPTIONS = ["--phases=examples,coverage,fuzzing", "--max-examples=30", "--workers=2", "--continue-on-failure"]
SERVERS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")  # our own, whatever .env names
TEMPLATE = {"name": "theirs", "channel": "email", "subject": "Hello", "body": "Hello"}
ITEM = {"sku": "tea", "name": "Tea", "quantity": 1, "unit_price": "1.00"}
FATAL = {"channel": "email", "to": "misconfigured@sim.test", "subject": "Hi", "body": "Hi"}  # a dead letter at once
SPARE_KEY = {"name": "spare", "mode": "test", "scopes": ["read"]}
THEIRS: dict[str, tuple[str, dict[str, Any]]] = {  # by the parameter that takes the id, in an order that works
    "customer": ("/api/v1/customers/", {"user_id": "theirs", "email": "theirs@example.com"}),
    "event_id": ("/api/events/", {"event_type": "ORDER_CREATED", "user_id": "theirs", "payload": {"order_id": 7}}),
    "notification_id": ("/v1/notify/", {"channel": "email", "to": "a@example.com", "subject": "Hi", "body": "Hi"}),
    "template_id": ("/v1/templates/", TEMPLATE),
    "workflow_id": ("/v1/workflows/", {"event_type": "THEIRS", "channels": ["email"], "template": "theirs"}),
    "integration_id": (
        "/v1/integrations/",
        {"channel": "webhook", "provider": "standard_webhooks", "name": "x", "config": {"url": "http://127.0.0.1:9/"}},
    ),
    "key_id": ("/v1/api-keys/", {"name": "theirs", "mode": "test", "scopes": ["read"]}),
    "order": ("/api/v1/orders/", {"customer_id": "theirs", "order_number": "1", "items": [ITEM], "currency": "EUR"}),
}


class Quiet(Logs):
    """Shows only what went wrong."""

    def _print(self, child: Child, prefix: str) -> None:
        for line in child.process.stdout or ():
            if b"ERROR" in line or b"Traceback" in line:
                say(f"{prefix} {line.decode(errors='replace').rstrip()}")


def fuzz(arguments: Sequence[str]) -> int:
    """0 when both rounds find nothing. Arguments go to Schemathesis: `--max-examples=200 --seed=7`."""
    install()
    try:
        with stoppable(), tempfile.TemporaryDirectory(prefix="traffic-control-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o711)  # an unprivileged PostgreSQL must get to its own folder inside
            ours = {"DEV_DIR": str(folder / "home"), "PORT": str(free_port()), "REGISTRATION": "open", "DEBUG": "0"}
            os.environ |= ours | dict.fromkeys(SERVERS, "")
            with everything(Quiet()) as running:
                return rounds(running.url, folder, arguments)
    except Stopped:
        return 130


def install() -> None:
    """The fuzzer in an environment of its own: what it needs is not to touch the product's."""
    lock, stamp = (ROOT / FUZZER).read_text(), VENV / "installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    progress(f"Making {VENV.name}")
    env = os.environ | uv_settings() | {"VIRTUAL_ENV": str(VENV)}
    made = ["venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
    for command in (made, ["pip", "sync", "--quiet", "--require-hashes", FUZZER]):
        if subprocess.run([BIN / "uv", *command], cwd=ROOT, env=env).returncode:
            refuse("The fuzzer could not be installed: see the lines above (is the package index within reach?)")
    stamp.write_text(lock)


def rounds(url: str, folder: Path, arguments: Sequence[str]) -> int:
    document = call(f"{url}/api/schema/?format=json")
    asking, other = (call(f"{url}/v1/tenants/register/", {"name": n, "email": "a@example.com"}) for n in ("A", "B"))
    theirs = possessions(url, other["test_api_key"])
    spare = call(f"{url}/v1/api-keys/", SPARE_KEY, asking["test_api_key"])["id"]
    common = ["--url", url, "-H", f"X-API-KEY: {asking['test_api_key']}", *OPTIONS, *arguments]

    foreign = ["--checks", CHECKS, "--include-path-regex", rf"\{{({'|'.join(theirs)})\}}", *common]
    free = ["--checks", f"{CHECKS},ignored_auth", *common]
    strict, barren = without(document, "default"), without(document, "2", "default")
    codes = {
        "another tenant's objects": schemathesis(folder, schema=barren, parameters=theirs, options=foreign),
        # By every other id it would some time revoke the key it asks with.
        "its own": schemathesis(folder, schema=strict, parameters={"key_id": spare}, options=free),
    }
    for name, code in codes.items():
        progress(f"A tenant asks for {name}: {paint('FAILED', 'red') if code else paint('ok', 'green')}")
    return max(codes.values())


def possessions(url: str, key: str) -> dict[str, str]:
    """The id of one object of each kind, all of them the tenant's with this key."""
    ids = {name: call(url + path, body, key)["id"] for name, (path, body) in THEIRS.items()}
    call(f"{url}/v1/notify/", FATAL, key)
    letters: list[dict[str, Any]] = []

    def have_come() -> bool:
        letters[:] = call(f"{url}/v1/dead-letters/", key=key)["data"]
        return bool(letters)

    if not wait_until(have_come, seconds=30):
        refuse("A message to misconfigured@sim.test has not become a dead letter.")
    return ids | {"letter_id": letters[0]["id"]}


def without(document: Mapping[str, Any], *statuses: str) -> dict[str, Any]:
    """The document with these answers taken out, so that they count as undocumented."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for operation in (one for path in copy["paths"].values() for one in path.values()):
        kept = {status: told for status, told in operation["responses"].items() if not status.startswith(statuses)}
        operation["responses"] = kept
    return copy


def schemathesis(folder: Path, *, schema: Any, parameters: Mapping[str, str], options: Sequence[str]) -> int:
    (folder / "schema.json").write_text(json.dumps(schema))
    lines = [f'"path.{name}" = "{value}"\n' for name, value in parameters.items()]
    (folder / "fuzz.toml").write_text("".join(["[parameters]\n", *lines]))
    command = [str(VENV / "bin" / "schemathesis"), "--config-file", "fuzz.toml", "run", "schema.json", *options]
    return subprocess.run(command, cwd=folder).returncode


def call(url: str, body: Any = None, key: str = "") -> Any:
    headers = {"Content-Type": "application/json", "X-API-KEY": key} if key else {"Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(url, data, headers), timeout=30) as answer:  # noqa: S310 our own address
        return json.load(answer)
