"""`manage.py doctor`"""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from monitoring.deadline import TookTooLong, ask_database
from monitoring.doctor import brokers, clocks, install, integrations, life, postgres
from monitoring.doctor.examination import examine
from monitoring.doctor.report import table
from monitoring.doctor.verdict import Check, Level, Verdict, exit_code

SECONDS = 5.0  # for all checks of the install together
PROVIDERS = 30.0  # for all providers together; one call ends within 15


class Command(BaseCommand):
    help = (
        "Looks at this install from the inside: database, Redis or RabbitMQ, processes, clocks, secrets, disks. "
        "Changes nothing. Exit code 1 when something is broken, 2 when something could not be checked."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--integrations", action="store_true", help="also knock at every provider; nothing is sent")
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        verdicts = examine(all_checks(), seconds=SECONDS)
        if options["integrations"]:
            verdicts += _providers()
        code = exit_code(verdicts)
        told = {"exit_code": code, "verdicts": [verdict.as_json() for verdict in verdicts]}
        self.stdout.write(json.dumps(told, indent=1) if options["json"] else table(verdicts))
        if code:
            sys.exit(code)


def all_checks() -> list[Check]:
    rooms = (postgres.CHECKS, brokers.redis_checks(), brokers.CHECKS, life.CHECKS, clocks.CHECKS, install.CHECKS)
    return [check for room in rooms for check in room]


def _providers() -> list[Verdict]:
    try:
        checks = ask_database(integrations.checks, seconds=SECONDS)
    except (DatabaseError, TookTooLong) as exc:
        found, do = f"not read: {type(exc).__name__}", "Mend the checks “database” and “migrations” first."
        return [Verdict("integrations", Level.UNKNOWN, found, integrations.WHY, do)]
    return examine(checks, seconds=PROVIDERS)
