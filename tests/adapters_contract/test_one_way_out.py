"""Nobody but the egress opens a connection to a place that a tenant names: read from the source, file by file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = (
    "traffic_control",
    "tenants",
    "user_preferences",
    "notification_processor",
    "delivery_gateway",
    "event_intake",
    "inbox",
    "monitoring",
)
CLIENTS = {"urllib3", "urllib.request", "http.client", "requests", "httpx", "aiohttp", "ftplib", "telnetlib", "socket"}
FILES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
EGRESS = ROOT / "delivery_gateway" / "egress"
HANGS_UP = ROOT / "traffic_control" / "slow_bodies.py"  # closes connections, and opens none
MAIL = {ROOT / "delivery_gateway" / "channels" / name for name in ("smtp.py", "smtp_replies.py")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_imports_a_client(path: Path) -> None:
    imported = _imports(path)

    if EGRESS not in path.parents:
        assert imported & CLIENTS <= ({"socket"} if path == HANGS_UP else set())
    if path not in MAIL:
        assert "smtplib" not in imported


def test_the_mail_client_dials_through_the_egress() -> None:
    """The one smtplib client there is makes its sockets with `dial`, never with its own."""
    tree = ast.parse((ROOT / "delivery_gateway" / "channels" / "smtp.py").read_text())
    methods = {
        node.name: ast.unparse(node)
        for cls in tree.body
        if isinstance(cls, ast.ClassDef) and cls.name in ("Smtp", "SmtpBackend")
        for node in cls.body
        if isinstance(node, ast.FunctionDef)
    }

    assert "self._dial(host, port, timeout)" in methods["_get_socket"]
    assert "self.egress.open_socket(" in methods["_dial"]


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found | {name.partition(".")[0] for name in found if name.partition(".")[0] in CLIENTS}
