"""`make sbom`: what the product is made of, as CycloneDX 1.6, from the lock file and the packages' own licences."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from dev.console import progress
from dev.paths import ROOT

LOCK = ROOT / "requirements.txt"
TARGET = ROOT / "sbom.cdx.json"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
SPDX = re.compile(r"[A-Za-z0-9.+-]+")
# As packages put it that do not say it in SPDX.
NAMES = {
    "BSD License": "BSD-3-Clause", "BSD": "BSD-3-Clause", "BSD 3-Clause": "BSD-3-Clause", "MIT License": "MIT",
    "MIT license": "MIT", "The MIT License": "MIT", "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0", "Apache 2.0": "Apache-2.0", "Apache License, Version 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "LGPL with exceptions": "LGPL-3.0-only", "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-only",
}  # fmt: skip
ALLOWED = frozenset(
    {"MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "ISC", "PSF-2.0", "MPL-2.0", "Unlicense",
     "LGPL-3.0-only", "LGPL-3.0-or-later"}
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """A line of the lock file. `license` is an SPDX expression, empty when it is not installed here."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]
    is_asked_for: bool  # by the product itself
    license: str

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def sbom() -> int:
    document = document_of(LOCK)
    TARGET.write_text(json.dumps(document, indent=2) + "\n")
    progress(f"Wrote {TARGET.name}: {len(document['components'])} components")
    return 0


def licences() -> int:
    """Whether every package may be used: 1 for one whose licence is not known here, or not one of ALLOWED."""
    faults = [p for p in packages(LOCK) if p.license and not may_use(p.license)]
    for package in faults:
        progress(f"{package.name} {package.version}: its licence is {package.license!r}, which nobody has looked at")
    return 1 if faults else 0


def may_use(expression: str) -> bool:
    """Any of the alternatives, all that have to hold together."""
    return any(
        all(name in ALLOWED for name in SPDX.findall(alternative.replace(" AND ", " ")))
        for alternative in re.split(r"\bOR\b", expression)
    )


def packages(lock: Path) -> Iterator[Package]:
    """In the order of the file, which is that of their names."""
    text = lock.read_text()
    starts = [*PINNED.finditer(text)]
    for found, after in zip(starts, [*starts[1:], None], strict=True):
        block = text[found.end() : after.start() if after else None]
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
        via = tuple(re.findall(r"^\s+#\s+(?:via )?([a-z0-9][\w.-]*)(?: |$)", block, re.MULTILINE))
        needed_by = tuple(name for name in via if name != "via")
        yield Package(found[1], found[2], hashes, needed_by, "-r requirements.in" in block, license_of(found[1]))


def license_of(name: str) -> str:
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return ""  # for another system: its marker does not hold here
    if "License-Expression" in told:
        return str(told["License-Expression"])
    classified = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier", []) if c.startswith("License ::")]
    stated = str(told["License"] or "") if "License" in told else ""
    given = [*(c for c in classified if c != "OSI Approved"), stated.split("\n")[0].strip()]
    words = [NAMES.get(word, word) for word in given if word]
    return next((word for word in words if may_use(word)), words[0] if words else "unknown")


def document_of(lock: Path) -> dict[str, Any]:
    """The same for the same lock file: no clock, no dice."""
    found = list(packages(lock))
    product = {"type": "application", "bom-ref": "traffic-control", "name": "traffic-control"}
    needs: dict[str, list[str]] = {"traffic-control": [p.purl for p in found if p.is_asked_for]}
    by_name = {p.name: p.purl for p in found}
    for package in found:
        for name in package.needed_by:
            needs.setdefault(by_name[name], []).append(package.purl)
    refs = ["traffic-control", *by_name.values()]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock.read_text())}",
        "version": 1,
        "metadata": {"component": product},
        "components": [component(package) for package in found],
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(needs.get(ref, [])))} for ref in refs],
    }


def component(package: Package) -> dict[str, Any]:
    licensed = {"licenses": [{"expression": package.license}]} if may_use(package.license or "-") else {}
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        **licensed,
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"https://pypi.org/project/{package.name}/{package.version}/",
                "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
            }
        ],
    }
