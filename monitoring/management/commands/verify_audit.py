"""`manage.py verify_audit`"""

import json
from argparse import FileType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitoring import audit_chain
from monitoring.audit_chain import Finding
from monitoring.models import AuditEntry


class Command(BaseCommand):
    help = (
        "Whether the audit log is as it was written: walks each tenant's chain and names the first entry that is not. "
        "Keep what --json prints somewhere else: with --against, a later run sees that the newest entries were removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seal", action="store_true", help="first add entries of a release that had no chain")
        parser.add_argument("--json", action="store_true", help="print the ends of the chains, for --against")
        parser.add_argument("--against", type=FileType(), metavar="FILE", help="what an earlier --json has printed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seal"]:
            self.stderr.write(f"sealed {audit_chain.seal():,} entries")
        earlier = json.load(options["against"]) if options["against"] else {}
        findings = list(audit_chain.verify())
        faults = [text for finding in findings for text in _faults(finding)]
        faults += [_gone(tenant, end) for tenant, end in earlier.items() if not _is_there(tenant, end)]
        if options["json"]:
            ends = {str(f.tenant_id): {"number": f.number, "digest": f.digest} for f in findings}
            self.stdout.write(json.dumps(ends, indent=1))
        for fault in faults:
            self.stderr.write(self.style.ERROR(fault))
        if faults:
            raise CommandError(f"The audit log is not as it was written: {len(faults)} faults.")
        if not options["json"]:
            total = sum(finding.number for finding in findings)
            self.stdout.write(f"The audit log is as it was written: {total:,} entries of {len(findings):,} tenants.")


def _faults(finding: Finding) -> list[str]:
    faults = []
    if broken := finding.broken:
        entry = f"entry {broken.entry}" if broken.entry else "the end"
        faults.append(f"tenant {finding.tenant_id}: broken at number {broken.number}, {entry}: {broken.why}")
    if finding.unsealed:
        faults.append(f"tenant {finding.tenant_id}: {finding.unsealed:,} entries have no place in it; see --seal")
    return faults


def _is_there(tenant_id: str, end: dict[str, Any]) -> bool:
    if not end["number"]:
        return True
    return AuditEntry.objects.filter(tenant_id=tenant_id, number=end["number"], digest=end["digest"]).exists()


def _gone(tenant_id: str, end: dict[str, Any]) -> str:
    return f"tenant {tenant_id}: number {end['number']} is not there, or not what it was"
