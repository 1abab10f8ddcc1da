"""Form fields and the way from a Problem to an error beside its field."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html
from unfold import widgets

from traffic_control.errors import Problem

ON, OFF = "on", "off"
LOOKS = {
    forms.TextInput: widgets.INPUT_CLASSES,
    forms.NumberInput: widgets.INPUT_CLASSES,
    forms.EmailInput: widgets.INPUT_CLASSES,
    forms.PasswordInput: widgets.INPUT_CLASSES,
    forms.Textarea: widgets.TEXTAREA_CLASSES,
    forms.Select: widgets.SELECT_CLASSES,
    forms.CheckboxInput: widgets.CHECKBOX_CLASSES,
}


def dressed(form: forms.BaseForm) -> None:
    """Gives the fields that a form declares itself the look that the theme gives to those of the model."""
    for field in form.fields.values():
        classes = next((LOOKS[kind] for kind in type(field.widget).__mro__ if kind in LOOKS), ())
        own = field.widget.attrs.get("class", "")
        if classes and classes[0] not in own.split():
            field.widget.attrs["class"] = " ".join([*classes, own]).strip()


def show_problem(form: forms.BaseForm, problem: Problem) -> None:
    """Each of the problem's errors beside the field that its pointer names, or above the form."""
    for error in problem.errors or [{"detail": str(problem.detail)}]:
        places = error.get("pointer", "").removeprefix("#").split("/")
        form.add_error(next((name for name in reversed(places) if name in form.fields), None), error["detail"])


class SourceField(forms.CharField):
    """The words of a template, kept as typed. Browsers send CRLF for every line end; templates have LF."""

    def __init__(self, *, rows: int, label: str, help_text: str = "", **kwargs: Any) -> None:
        area = forms.Textarea(attrs={"rows": rows, "class": "source", "spellcheck": "false"})
        super().__init__(required=False, strip=False, widget=area, label=label, help_text=help_text, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value) or "").replace("\r\n", "\n")


class WriteOnlyLines(forms.Textarea):
    """Several lines that are never sent back to the browser."""

    def format_value(self, value: Any) -> None:
        return None


class SecretField(forms.CharField):
    """Write-only: what is stored never comes back, left empty it stays. `hint` is its end, as `…1234`."""

    def __init__(self, *, hint: str, has_lines: bool = False, **kwargs: Any) -> None:
        attrs = {"autocomplete": "new-password", "class": "vTextField", "spellcheck": "false"}
        widget = WriteOnlyLines({**attrs, "rows": 3}) if has_lines else forms.PasswordInput(attrs)
        told = format_html("Stored, ends in {}. Left empty, it stays.", hint) if hint else ""
        super().__init__(widget=widget, help_text=told, **kwargs)


class ChannelsField(forms.MultipleChoiceField):
    """A list of channels, as checkboxes."""

    def __init__(self, *, channels: Iterable[str], **kwargs: Any) -> None:
        choices = [(name, name.replace("_", " ")) for name in channels]
        boxes = widgets.UnfoldAdminCheckboxSelectMultipleWidget
        super().__init__(choices=choices, widget=boxes, required=False, **kwargs)


class OnOffField(forms.TypedChoiceField):
    """True, False, or None for "not decided here"."""

    def __init__(self, *, undecided: str, **kwargs: Any) -> None:
        choices = [("", undecided), (ON, "On"), (OFF, "Off")]
        meanings = {ON: True, OFF: False, True: True, False: False}  # as typed, and as stored
        super().__init__(choices=choices, coerce=meanings.__getitem__, empty_value=None, required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return {True: ON, False: OFF}.get(value, value)
