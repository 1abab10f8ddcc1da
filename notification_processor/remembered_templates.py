"""Template versions that a process remembers, with the condition under which each is still the one to send.

The condition goes into the INSERT of the message, so that an edit holds for the very next request in every process,
and a message still costs no query for its template.
"""

import uuid

from django.db import connection
from django.db.models import UUIDField

from notification_processor import templates
from notification_processor.bounded_memory import BoundedMemory
from notification_processor.models import MessageTemplate
from notification_processor.rendering import Source
from traffic_control.insertion import Guard

Name = tuple[uuid.UUID, str, str]  # tenant id, template name, channel

# True when the version is current, and nothing else has this name and channel: then no locale can choose another.
STILL_THE_ONE = f"""1 = (
    SELECT sum(CASE WHEN current_id = %s THEN 1 ELSE 2 END) FROM {MessageTemplate._meta.db_table}
    WHERE tenant_id = %s AND name = %s AND channel = %s AND archived_at IS NULL)"""  # noqa: S608 - the name of a model
MOST = 8_000_000  # characters a process; one version may have 192,000
_UUID = UUIDField()
_versions: BoundedMemory[Name, Source] = BoundedMemory(MOST)


def find(tenant_id: uuid.UUID, name: str, channel: str, *, locale: str) -> tuple[Source, Guard | None]:
    """As `templates.find`; what is remembered comes with its condition. Names in several locales are looked up."""
    key = (tenant_id, name, channel)
    if source := _versions.get(key):
        return source, Guard(STILL_THE_ONE, [_bound(uuid.UUID(source.key)), _bound(tenant_id), name, channel])
    source, is_only_one = templates.find(tenant_id, name, channel, locale=locale)
    if is_only_one:
        _versions.keep(key, source, size=sum(map(len, source.text)))
    return source, None


def forget(tenant_id: uuid.UUID, name: str, channel: str) -> None:
    """The condition did not hold."""
    _versions.forget((tenant_id, name, channel))


def _bound(value: uuid.UUID) -> object:
    """As this database's driver takes it."""
    return _UUID.get_db_prep_value(value, connection)
