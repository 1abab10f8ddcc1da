"""What is wrong with a body, collected so that a caller hears it all at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from traffic_control.errors import Problem
from traffic_control.spelling import did_you_mean

T = TypeVar("T")


class Fault(ValueError):
    """A value that does not do, with its own code and perhaps a hint. A plain ValueError says `invalid`."""

    def __init__(self, detail: str, *, code: str = "invalid", hint: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.hint = code, hint


@dataclass
class Faults:
    """Use it, then `refuse()`: raises one Problem with every fault, or does nothing."""

    errors: list[dict[str, Any]] = field(default_factory=list)

    def add(self, pointer: str, detail: str, *, code: str = "invalid", hint: str | None = None) -> None:
        error = {"pointer": f"#{pointer}", "code": code, "detail": detail}
        self.errors.append(error | ({"hint": hint} if hint else {}))

    def checked(self, pointer: str, check: Callable[[Any], T], value: Any) -> T | None:
        """What `check` makes of the value; None when it raises ValueError, which is noted."""
        try:
            return check(value)
        except ValueError as exc:
            code, hint = getattr(exc, "code", "invalid"), getattr(exc, "hint", None)
            self.add(pointer, str(exc), code=code, hint=hint)
            return None

    def unknown(self, given: Mapping[str, Any], known: Collection[str], *, pointer: str = "") -> None:
        for name in given.keys() - known:
            hint = did_you_mean(name, known)
            self.add(f"{pointer}/{name}", f'There is no field "{name}" here.', code="unknown_field", hint=hint)

    def refuse(self) -> None:
        if self.errors:
            self.errors.sort(key=lambda error: str(error["pointer"]))
            raise Problem("validation_error", told(self.errors[0]), errors=self.errors)


def told(error: Mapping[str, str]) -> str:
    """One fault as a sentence: where, what, and the hint."""
    where = error["pointer"].removeprefix("#").removeprefix("/")
    return " ".join(part for part in (f"{where}:" if where else "", error["detail"], error.get("hint", "")) if part)


def object_of(body: Any) -> dict[str, Any]:
    """A body that is a JSON object. Raises Problem."""
    if not isinstance(body, dict):
        detail = "The body must be a JSON object: { … }."
        raise Problem("validation_error", detail, errors=[{"pointer": "#", "code": "not_an_object", "detail": detail}])
    return body
