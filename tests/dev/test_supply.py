"""What the product is made of: the bill of materials, licences, and asking for what is known against it."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dev import advisories, sbom
from dev.console import Refusal
from dev.paths import ROOT

PACKAGES = list(sbom.packages(sbom.LOCK))
DOCUMENT = sbom.document_of(sbom.LOCK)


def test_every_locked_package_is_a_component_with_its_hashes() -> None:
    pinned = re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", sbom.LOCK.read_text(), re.MULTILINE)

    assert [component["name"] for component in DOCUMENT["components"]] == pinned
    for component in DOCUMENT["components"]:
        [reference] = component["externalReferences"]
        assert reference["hashes"]
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"


def test_graph_is_closed_and_starts_at_the_product() -> None:
    refs = {"traffic-control", *(component["bom-ref"] for component in DOCUMENT["components"])}
    needs = {one["ref"]: one["dependsOn"] for one in DOCUMENT["dependencies"]}
    asked_for = {line.split("~=")[0].split("[")[0] for line in (ROOT / "requirements.in").read_text().splitlines()}

    assert needs.keys() == refs
    assert {ref for found in needs.values() for ref in found} <= refs
    assert {ref.split("/")[1].split("@")[0] for ref in needs["traffic-control"]} == {
        name for name in asked_for if name and not name.startswith("#")
    }


def test_bill_is_the_same_for_the_same_lock_file() -> None:
    assert json.dumps(sbom.document_of(sbom.LOCK)) == json.dumps(DOCUMENT)
    assert (DOCUMENT["bomFormat"], DOCUMENT["specVersion"], DOCUMENT["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", DOCUMENT["serialNumber"])


def test_every_installed_package_may_be_used() -> None:
    assert [p.name for p in PACKAGES if p.license and not sbom.may_use(p.license)] == []


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("unknown", False),
    ],
)
def test_licence_may_be_used(expression: str, allowed: bool) -> None:
    assert sbom.may_use(expression) is allowed


class Osv(BaseHTTPRequestHandler):
    """Knows something against one package."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        results: list[dict[str, Any]] = [
            {"vulns": [{"id": "GHSA-1"}]} if query["package"]["name"] == "old" else {} for query in asked
        ]
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def osv() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_what_is_known_is_told_by_package(osv: str) -> None:
    assert advisories.known([("new", "1"), ("old", "2")], osv) == {("old", "2"): ["GHSA-1"]}
    assert advisories.audit(osv) == 0


def test_question_that_nobody_answers_is_no_clean_answer() -> None:
    with pytest.raises(Refusal, match="Nothing was audited"):
        advisories.known([("new", "1")], "http://127.0.0.1:1/")
