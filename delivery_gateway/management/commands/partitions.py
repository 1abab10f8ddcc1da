"""`manage.py partitions`"""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from delivery_gateway import partitions, retention
from delivery_gateway.partitions import MONTHS_AHEAD, Partition


class Command(BaseCommand):
    help = (
        "The months of the ledger, the attempts and the sandbox: lists them, creates them ahead (the dispatcher does "
        "so too), takes off or drops what is older than it need be kept. On SQLite, `drop` deletes rows instead."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="Every month with its size, and rows that are in none.")
        create = actions.add_parser("create", help="Months that are missing, from this one on.")
        create.add_argument("--months", type=int, default=MONTHS_AHEAD, help=f"how many ahead (default {MONTHS_AHEAD})")
        create.add_argument("--since", type=_month, metavar="YYYY-MM", help="from then on, for rows in no month")
        for name, what in (("detach", "Make old months tables of their own."), ("drop", "Remove old months for good.")):
            action = actions.add_parser(name, help=what)
            action.add_argument("--older-than", type=_age, metavar="90d", help="default: RETENTION_DAYS")
            action.add_argument("--yes", action="store_true", help="do it; without it, only say what would be done")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        if not partitions.is_partitioned() and action != "drop":
            self.stdout.write("There is nothing to do: SQLite has no partitions.")
            return
        getattr(self, action)(**options)

    def list(self, **options: Any) -> None:
        for table in partitions.TABLES:
            for partition in partitions.partitions_of(table):
                self.stdout.write(_line(partition))
        for name in retention.detached():
            self.stdout.write(f"{name:<48} detached")
        for table, count in partitions.strays().items():
            least = "at least " if count == partitions.MOST else ""
            self.stdout.write(
                self.style.WARNING(
                    f"{least}{count:,} rows of {table} are in no month: partitions create --since their month"
                )
            )

    def create(self, *, months: int, since: datetime | None, **options: Any) -> None:
        now = timezone.now()
        past = (now.year - since.year) * 12 + now.month - since.month if since else 0
        first = since or partitions.month_of(now)
        made = partitions.create([partitions.month_of(first, later=number) for number in range(past + months + 1)])
        self.stdout.write("\n".join(made) or "Every month is there.")

    def detach(self, *, older_than: timedelta | None, yes: bool, **options: Any) -> None:
        for month in self._months(_before(older_than)):
            self._say("detach", [partition.name for partition in month.partitions], yes)
            if yes:
                retention.detach(month)
        self._remind(yes)

    def drop(self, *, older_than: timedelta | None, yes: bool, **options: Any) -> None:
        before = _before(older_than)
        if not partitions.is_partitioned():
            self._delete(before, yes)
            return
        earlier = [name for name, end in retention.detached().items() if end <= before]
        self._drop(earlier, yes)
        last = None
        for month in self._months(before):
            self._drop(retention.detach(month) if yes else [partition.name for partition in month.partitions], yes)
            last = month.end
        if yes and last:
            self.stdout.write(f"deleted {retention.delete_letters_before(last):,} dead letters of these months")
        self._remind(yes)

    def _months(self, before: datetime) -> Any:
        """Oldest first, up to one that still has something to do."""
        for month in retention.months_before(before):
            if not month.is_finished:
                names = ", ".join(partition.name for partition in month.partitions)
                self.stdout.write(self.style.WARNING(f"kept, with all after it, for it has unfinished rows: {names}"))
                return
            yield month

    def _drop(self, tables: Any, yes: bool) -> None:
        self._say("drop", tables, yes)
        if yes:
            retention.drop(tables)

    def _delete(self, before: datetime, yes: bool) -> None:
        if yes:
            self.stdout.write(f"deleted {retention.delete_before(before):,} finished notifications")
        else:
            self.stdout.write(f"would delete finished notifications accepted before {before:%Y-%m-%d %H:%M} UTC")
        self._remind(yes)

    def _say(self, what: str, tables: Any, yes: bool) -> None:
        for table in tables:
            self.stdout.write(f"{'' if yes else 'would '}{what} {table}")

    def _remind(self, yes: bool) -> None:
        if not yes:
            self.stdout.write("Nothing was changed. Add --yes to do it.")


def _line(partition: Partition) -> str:
    rows = f"{partition.rows:>14,}" if partition.rows >= 0 else f"{'not known':>14}"
    start = f"{partition.start:%Y-%m-%d}" if partition.start else "…" if partition.end else "anything else"
    end = f" to {partition.end:%Y-%m-%d}" if partition.end else ""
    return f"{partition.name:<48}{rows} rows, about {partition.bytes / 2**20:>10,.1f} MB  {start}{end}"


def _before(older_than: timedelta | None) -> datetime:
    age = older_than or timedelta(days=settings.RETENTION_DAYS)
    if not age:
        raise CommandError("Say --older-than, for instance 90d, or set RETENTION_DAYS.")
    return timezone.now() - age


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9]\d{0,4})d", text)
    if not found:
        raise ArgumentTypeError(f'"{text}" is not a number of days such as 90d')
    return timedelta(days=int(found[1]))


def _month(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as exc:
        raise ArgumentTypeError(f'"{text}" is not a month such as 2026-01') from exc
