"""What `manage.py check` says of our own settings. The image's entrypoint asks before it starts anything."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import OperationalError, connections

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
LIKENESS = 0.8  # of difflib: EMAIL_HOSTNAME is like EMAIL_HOST, REDIS_PORT is not like REDIS_URL


@register(Tags.database)
def postgres_keeps_what_it_confirms(
    app_configs: Any = None, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A 202 means stored, so a server that forgets commits in a power cut is refused, except by ALLOW_UNSAFE_POSTGRES.

    One that does not answer is not judged: starting without it and waiting is the better half of the choice.
    """
    asked = [connections[alias] for alias in databases or ()]
    postgres = [connection for connection in asked if connection.vendor == "postgresql"]
    if settings.ALLOW_UNSAFE_POSTGRES or not postgres:
        return []
    try:
        return [_forgets(name) for connection in postgres for name in _turned_off(connection)]
    except OperationalError as exc:
        reason = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
        return [Warning(f"PostgreSQL could not be asked whether it is durable: {reason}", id="traffic_control.W001")]


def _turned_off(connection: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [list(DURABILITY)])
        return sorted(name for (name,) in cursor.fetchall())


def _forgets(name: str) -> Error:
    return Error(
        f"PostgreSQL runs with {name}=off: after a power cut, messages that were answered with 202 may be gone.",
        hint=f"Set {name}=on. For a database that may be thrown away: ALLOW_UNSAFE_POSTGRES=1.",
        id="traffic_control.E001",
    )


@register("settings")
def variables_are_spelt_as_documented(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Only a warning: the environment is shared with other programs, whose names may be like ours."""
    known = documented_names(settings.BASE_DIR / ".env.example")
    return [
        Warning(
            f"{name} is set, but there is no such setting.",
            hint=f"Did you mean {meant}? Every setting is listed in .env.example.",
            id="traffic_control.W002",
        )
        for name, meant in misspelt(os.environ, known).items()
    ]


def documented_names(example: Path) -> set[str]:
    """The settings that the example file lists, commented or not; none where the file was left out."""
    text = example.read_text() if example.exists() else ""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


def misspelt(given: Iterable[str], known: Collection[str]) -> Mapping[str, str]:
    """Which given names are nearly known ones. A wrong first letter is another word: AWS_SECRET_KEY is not ours."""
    guesses = {
        name: get_close_matches(name, [one for one in known if one[0] == name[:1]], n=1, cutoff=LIKENESS)
        for name in given
        if name not in known
    }
    return {name: guess[0] for name, guess in sorted(guesses.items()) if guess}
