"""Whether the parts of the system answer, in one line."""

import time
from dataclasses import dataclass

from delivery_gateway import circuit_store
from monitoring import checks
from monitoring.checks import EAGER, FAIL, PASS, UNKNOWN, UNUSED, WARN, Finding
from monitoring.dashboard.figures import Scope

WORDS = {PASS: "well", WARN: "look", FAIL: "down", EAGER: "inline", UNUSED: "not used", UNKNOWN: "not known"}
TONES = {PASS: "good", WARN: "waiting", FAIL: "bad"}
LISTED = 3


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    word: str
    tone: str
    detail: str = ""


def strip(scope: Scope) -> list[Part]:
    found = {
        "Database": checks.database(),
        "Redis": checks.redis(),
        "Workers": checks.celery(),
        "Dispatcher": checks.dispatcher(),
    }
    return [*(_part(name, finding) for name, finding in found.items()), _circuits(scope)]


def _part(name: str, finding: Finding) -> Part:
    facts = finding.facts
    told = [
        f"{facts['latency_ms']} ms" if "latency_ms" in facts else "",
        f"heard {facts['age_s']} s ago" if facts.get("age_s") is not None else "",
        f"nobody takes from {', '.join(facts['unattended'])}" if facts.get("unattended") else "",
        str(facts.get("error", "")),
    ]
    return Part(name, WORDS[finding.status], TONES.get(finding.status, "quiet"), ", ".join(filter(None, told)))


def _circuits(scope: Scope) -> Part:
    """Providers that are left alone for a while because calls to them failed."""
    opened = [key for key in circuit_store.all_open(time.time()) if scope.tenant_id in (None, key.tenant_id)]
    if not opened:
        return Part("Circuits", "closed", "good")
    names = sorted({f"{key.channel} ({key.provider})" for key in opened})
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return Part("Circuits", f"{len(opened)} open", "bad", ", ".join(names[:LISTED]) + more)
