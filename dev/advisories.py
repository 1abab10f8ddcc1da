"""`make audit-dependencies`: whether anything is known against the locked packages.

OSV.dev is asked in one request, so this needs the internet and is no part of `make check`, which must pass without. A
question that got no answer is a failure that says so: it is not the same as a clean answer.
"""

import json
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import Request, urlopen

from dev.bootstrap import LOCKS
from dev.console import progress, refuse
from dev.paths import ROOT
from dev.sbom import PINNED

OSV = "https://api.osv.dev/v1/querybatch"
PATIENCE = 20.0  # seconds
Pin = tuple[str, str]  # name, version


def audit(url: str = OSV) -> int:
    """1 when something is known, with its ids; refuses when nobody could be asked."""
    pins = sorted({pin for lock in LOCKS for pin in PINNED.findall((ROOT / lock).read_text())})
    found = known(pins, url)
    for (name, version), ids in found.items():
        progress(f"{name} {version}: {', '.join(ids)}: see https://osv.dev/vulnerability/{ids[0]}")
    progress(f"{len(pins)} packages, {len(found)} of them with known vulnerabilities")
    return 1 if found else 0


def known(pins: Sequence[Pin], url: str) -> dict[Pin, list[str]]:
    """By package, the ids of what is known. Withdrawn advisories are not among them."""
    queries = [{"package": {"ecosystem": "PyPI", "name": name}, "version": version} for name, version in pins]
    request = Request(url, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - ours, or a test's
            results = json.load(answer)["results"]
    except (URLError, TimeoutError, ValueError, KeyError) as exc:
        refuse(f"Nothing was audited: {url} could not be asked ({exc}). This check needs the internet.")
    if len(results) != len(pins):
        refuse(f"Nothing was audited: {url} answered {len(results)} of {len(pins)} questions.")
    told = {pin: [one["id"] for one in result.get("vulns", [])] for pin, result in zip(pins, results, strict=True)}
    return {pin: ids for pin, ids in told.items() if ids}
