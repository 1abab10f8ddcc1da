"""Seals every integration and inbox secret again with the current key, so that an older one can be dropped."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from tenants import vault
from tenants.models import InboxSecret, Integration
from traffic_control.bulk import update_from_values

BATCH = 200
SEALED = (Integration, InboxSecret)


@dataclass(frozen=True, slots=True)
class Progress:
    """After a batch: rows seen so far, sealed anew, and those that no key opens."""

    seen: int = 0
    resealed: int = 0
    unopenable: tuple[uuid.UUID, ...] = ()


def rotate(*, batch: int = BATCH) -> Iterator[Progress]:
    """Yields after each batch, which is one short transaction. Stopped anywhere, it goes on where it is needed."""
    so_far = Progress()
    for model in SEALED:
        for progress in _rotated(model, so_far, batch):
            so_far = progress
            yield progress


def _rotated(model: Any, progress: Progress, batch: int) -> Iterator[Progress]:
    last = uuid.UUID(int=0)
    while True:
        with transaction.atomic():
            rows = list(model.objects.select_for_update().filter(id__gt=last).order_by("id")[:batch])
            if not rows:
                return
            progress = _resealed(model, rows, progress)
        last = rows[-1].id
        yield progress


def _resealed(model: Any, rows: list[Any], progress: Progress) -> Progress:
    current = f"{vault.current_key_id()}:"
    fresh: list[tuple[uuid.UUID, str]] = []
    unopenable: list[uuid.UUID] = []
    for row in rows:
        if not row.sealed or row.sealed.startswith(current):
            continue
        try:
            values = vault.unseal(row.sealed, tenant_id=row.tenant_id, integration_id=row.id)
            fresh.append((row.id, vault.seal(values, tenant_id=row.tenant_id, integration_id=row.id)))
        except vault.Unopenable:
            unopenable.append(row.id)
    update_from_values(model, ("sealed",), fresh)
    return Progress(progress.seen + len(rows), progress.resealed + len(fresh), (*progress.unopenable, *unopenable))
