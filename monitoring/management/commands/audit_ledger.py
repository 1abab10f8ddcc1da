"""`manage.py audit_ledger`"""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitoring.ledger_audit.audit import audit
from monitoring.ledger_audit.evidence import Unreadable, gathered
from monitoring.ledger_audit.table import table

BROKEN, UNREADABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Judges the ledger: is all there that clients were told, was all received that is sent, and so on, seven "
        "promises in all. Changes nothing. Exit code 1 when one is broken, 2 when a file cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accepted", type=Path, metavar="FILE", help='what clients were told: {"id": …} a line')
        parser.add_argument("--received", type=Path, metavar="FILE", help='receipts: {"id": …, "channel": …} a line')
        parser.add_argument(
            "--since", type=_moment, help="only what was accepted from then on, such as 2026-11-21T06:00"
        )
        parser.add_argument("--settled", action="store_true", help="whatever has not ended by now is a finding")
        parser.add_argument("--patience", type=float, default=120.0, help="seconds that a dispatcher may be late")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with gathered(options["accepted"], options["received"]) as evidence:
                report = audit(
                    evidence,
                    since=options["since"],
                    is_settled=options["settled"],
                    patience=timedelta(seconds=options["patience"]),
                )
        except (Unreadable, OSError) as error:
            raise CommandError(str(error), returncode=UNREADABLE) from None
        self.stdout.write(json.dumps(report.as_json(), indent=1) if options["json"] else table(report))
        if not report.is_clean:
            sys.exit(BROKEN)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else timezone.make_aware(moment)
