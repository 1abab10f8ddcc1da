"""Pages of big lists: by key, so that the thousandth costs what the first does, and never counted.

Where no index knows which rows a filter means, a page looks through so many rows and no more, and says how far it got.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import EmptyPage, InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from tenants.admin_lists import AgeFilter, TenantFilter, as_uuid
from traffic_control.ids import time_of

BEFORE, AFTER = "before", "after"
LOOKED_THROUGH = 10_000  # rows a page
DEEPEST_PAGE = 50  # of what a choice offers while somebody types


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: at the newest row, or beside the row with this key."""

    key: uuid.UUID | None = None
    is_upwards: bool = False  # towards newer rows

    def onwards(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        if self.key is None:
            return rows.order_by("-pk")
        return rows.filter(pk__gt=self.key).order_by("pk") if self.is_upwards else self._older(rows)

    def _older(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(pk__lt=self.key).order_by("-pk")

    def until(self, rows: QuerySet[Any], edge: uuid.UUID | None) -> QuerySet[Any]:
        if edge is None:
            return rows
        return rows.filter(pk__lte=edge) if self.is_upwards else rows.filter(pk__gte=edge)


NEWEST = Place()


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Rows, newest first. `older`, `newer`: the keys that the pages beside it begin at, where there are any.

    `edge`: how far was looked, when that was not far enough to fill the page.
    """

    rows: list[Any]
    older: uuid.UUID | None
    newer: uuid.UUID | None
    edge: uuid.UUID | None

    @property
    def has_other_pages(self) -> bool:
        return bool(self.older or self.newer)

    @property
    def looked_until(self) -> datetime | None:
        return datetime.fromtimestamp(time_of(self.edge), UTC) if self.edge else None


def page_at(place: Place, rows: QuerySet[Any], size: int, ground: QuerySet[Any] | None = None) -> KeyPage:
    """One query; with `ground`, the rows among which these are looked for, one more."""
    edge = _edge(place.onwards(ground)) if ground is not None else None
    taken = list(place.until(place.onwards(rows), edge)[: size + 1])
    is_full, shown = len(taken) > size, taken[:size]
    further = shown[-1].pk if is_full else edge
    if place.is_upwards:
        if further is None:  # these are the newest: as many of them as a page holds
            return page_at(NEWEST, rows, size, ground)
        shown.reverse()
        older, newer = shown[-1].pk if shown else _beside(place.key, 1), further
    else:
        newest = shown[0].pk if shown else _beside(place.key, -1)
        older, newer = further, newest if place.key else None
    return KeyPage(shown, older, newer, None if is_full else edge)


def _edge(rows: QuerySet[Any]) -> uuid.UUID | None:
    """The last row that is looked at; None where the rows end before."""
    keys = rows.values_list("pk", flat=True)
    return next(iter(keys[LOOKED_THROUGH - 1 : LOOKED_THROUGH]), None)


def _beside(key: uuid.UUID | None, step: int) -> uuid.UUID | None:
    """So that the row with this key is itself on the next page."""
    return uuid.UUID(int=key.int + step) if key else None


def place_in(query: Mapping[str, str]) -> Place:
    """Raises IncorrectLookupParameters for what is no key."""
    for name in (BEFORE, AFTER):
        if text := query.get(name):
            if (key := as_uuid(text)) is None or not 0 < key.int < uuid.UUID(int=2**128 - 1).int:
                raise IncorrectLookupParameters
            return Place(key, is_upwards=name == AFTER)
    return NEWEST


class KeyedChangeList(ChangeList):
    """Newest first, whatever `?o=` asks for: any other order would sort the whole table."""

    page: KeyPage
    looked_through = LOOKED_THROUGH

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """A page's key is no filter, and another choice of filters begins at its own newest row."""
        for name in (BEFORE, AFTER):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        found: dict[str, Any] = super().get_filters_params(params)
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        self.page = page_at(place_in(request.GET), self.queryset, self.list_per_page, self._ground(request))
        self.result_list = self.page.rows
        self.result_count = self.full_result_count = len(self.result_list)  # the theme would offer to count
        self.show_full_result_count = self.can_show_all = False
        self.show_admin_actions = bool(self.result_list)
        self.multi_page = self.page.has_other_pages

    def _ground(self, request: HttpRequest) -> QuerySet[Any] | None:
        """What is looked through; None where an index knows the rows."""
        asked = {name: values[-1] for name, values in self.get_filters_params().items()}
        if not self.model_admin.is_looked_through(request, asked, self.query.strip()):
            return None
        rows: QuerySet[Any] = self.root_queryset
        for choice in self.filter_specs:
            if isinstance(choice, TenantFilter | AgeFilter):
                rows = choice.queryset(request, rows)
        return rows


class UncountedPage(Page):
    """Knows whether there is more because it looked one row ahead."""

    paginator: "UncountedPaginator"

    def __init__(self, rows: list[Any], number: int, paginator: "UncountedPaginator") -> None:
        self.has_more = len(rows) > paginator.per_page and number < DEEPEST_PAGE
        super().__init__(rows[: paginator.per_page], number, paginator)

    def has_next(self) -> bool:
        return self.has_more


class UncountedPaginator(Paginator):
    """For what a choice offers. No COUNT(*). Raises EmptyPage past the end, or past DEEPEST_PAGE."""

    def page(self, number: int | str) -> UncountedPage:
        try:
            wanted = int(number)
        except ValueError as exc:
            raise InvalidPage("That page is not a number.") from exc
        if not 1 <= wanted <= DEEPEST_PAGE:
            raise EmptyPage(f"Pages go from 1 to {DEEPEST_PAGE}. Type more to find less.")
        first = (wanted - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        if not rows and wanted > 1:
            raise EmptyPage("There are no rows this far back.")
        return UncountedPage(rows, wanted, self)
