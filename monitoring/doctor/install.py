"""How this install is set up: secrets, switches, and the disks that can be seen from here."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.models import F, Value
from django.db.models.functions import StrIndex, Substr

from monitoring.doctor.verdict import Check, Verdict, fail, good, warn
from notification_processor.renderer_process import Renderer, Unstartable
from tenants import vault
from tenants.models import Integration

SHORTEST_SECRET = 50  # characters, as Django's own check has it
FILLING, FULL = 0.85, 0.95


def switches() -> Iterator[Verdict]:
    faults = list(_switched_wrong())
    yield from faults or [good("settings", "DEBUG off, hosts named, registration as meant")]


def _switched_wrong() -> Iterator[Verdict]:
    if settings.DEBUG:
        why = "Errors show their insides to whoever asks, and hooks may reach this machine."
        yield warn("settings", "DEBUG is on", why, "Set DEBUG=0 wherever others can reach it.")
    if "*" in settings.ALLOWED_HOSTS:
        why = "Links can be made to point elsewhere by a forged Host header."
        yield warn("settings", "ALLOWED_HOSTS takes any name", why, "Name your hosts.")
    if settings.REGISTRATION == "open" and not settings.DEBUG:
        yield warn("settings", "REGISTRATION is open", "Anybody can become a tenant.", "Set it to token or closed.")
    for message in checks.run_checks():
        if message.level >= checks.WARNING and not message.is_silenced():
            judge = fail if message.level >= checks.ERROR else warn
            yield judge("settings", message.msg, f"manage.py check calls it {message.id}.", message.hint or "Mend it.")


def secrets() -> Iterator[Verdict]:
    try:
        vault.current_key_id()
    except ImproperlyConfigured as exc:
        why = "No integration opens, so nothing leaves through one."
        yield fail("secrets", str(exc), why, "Mend CREDENTIALS_KEYS.")
        return
    weak = settings.SECRET_KEY == settings.INSECURE_KEY or len(settings.SECRET_KEY) < SHORTEST_SECRET
    if weak:
        judge = warn if settings.DEBUG else fail
        why = "Sessions, API keys and credentials are only as safe as it is."
        yield judge("secrets", "SECRET_KEY is well known or short", why, "Set it to 50 random characters.")
    if not any(entry.strip() for entry in settings.CREDENTIALS_KEYS):
        why = "Credentials are encrypted with a key made from SECRET_KEY: changing that one loses them all."
        yield warn("secrets", "CREDENTIALS_KEYS is not set", why, "Set it, then run manage.py rotate_credentials.")
    elif not weak:
        yield good("secrets", f"credentials are sealed with the key {vault.current_key_id()}")


def sealed() -> Iterator[Verdict]:
    """Each key that anything is sealed with is still at hand, and one row of each opens."""
    by_key = Substr("sealed", 1, StrIndex(F("sealed"), Value(":")) - 1)
    keys = Integration.objects.exclude(sealed="").annotate(key=by_key).values_list("key", flat=True).distinct()
    faults = [(key, fault) for key in sorted(keys) if (fault := _fault_of(key))]
    for key, fault in faults:
        why = "These integrations count as paused: nothing leaves through them."
        do = "Put the key back into CREDENTIALS_KEYS (behind the first), then run manage.py rotate_credentials."
        yield fail("credentials", f"what was sealed with the key {key} does not open: {fault}", why, do)
    if not faults:
        yield good("credentials", "all that is sealed opens")


def _fault_of(key: str) -> str:
    row = Integration.objects.filter(sealed__startswith=f"{key}:").first()
    try:
        if row is not None:
            vault.unseal(row.sealed, tenant_id=row.tenant_id, integration_id=row.id)
    except vault.Unopenable as exc:
        return str(exc)
    return ""


def renderer() -> Iterator[Verdict]:
    """Starts one, as the web processes and the workers do."""
    try:
        started = Renderer()
        started.wait()
    except Unstartable as exc:
        why = "No template is rendered: sends that use one get 503, and events wait."
        yield fail("renderer", str(exc), why, "Let processes lower their own limits, and start a Python of their own.")
        return
    started.close()
    memory = started.limits["memory"]
    if not memory:
        why = "A template may take all memory of this machine before its time is up: trust whoever writes them."
        yield warn("renderer", "this system does not bound a renderer's memory", why, "Run it on Linux.")
        return
    yield good("renderer", f"templates are rendered apart, within {memory // 2**20} MB")


def disk_of_temporary_files() -> Iterator[Verdict]:
    yield _room("temporary files", Path(tempfile.gettempdir()), "Programs that find no room for temporary files fail.")


def disk_of_database() -> Iterator[Verdict]:
    """Where it is this machine's: SQLite's file, and PostgreSQL's folder when it runs here and we may know it."""
    if folder := _database_folder():
        yield _room("database", folder, "A database that finds no room stops; intake then answers 503.")


def _room(what: str, folder: Path, why: str) -> Verdict:
    usage = shutil.disk_usage(folder)
    full = 1 - usage.free / usage.total if usage.total else 0.0
    found = f"{what}: {usage.free / 1e9:.1f} GB free in {folder}, {full:.0%} full"
    judge = fail if full > FULL else warn if full > FILLING else None
    return judge("disk", found, why, "Make room.") if judge else good("disk", found)


def _database_folder() -> Path | None:
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        return None if "memory" in name else Path(name).resolve().parent
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory' AND setting IS NOT NULL")
        row = cursor.fetchone()  # only its administrators are told
    folder = Path(row[0]) if row and _is_here() else None
    return folder if folder and os.access(folder, os.F_OK) else None


def _is_here() -> bool:
    host = str(connection.settings_dict["HOST"])
    return host in ("", "localhost", "127.0.0.1", "::1") or host.startswith("/")


CHECKS = (
    Check("settings", switches, "The settings could not be read.", "Run manage.py check."),
    Check("secrets", secrets, "The secrets could not be read.", "Run manage.py check."),
    Check("credentials", sealed, "It needs the database's answer.", "Mend the check “database” first."),
    Check("renderer", renderer, "No renderer answered.", "Look at the error."),
    Check("disk", disk_of_temporary_files, "The disk could not be asked.", "Look at the error."),
    Check("disk", disk_of_database, "It needs the database's answer.", "Mend the check “database” first."),
)
