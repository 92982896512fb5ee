"""A form for a dataclass: magicgui makes a widget for each field by its type, Qt lays them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar, get_type_hints

from magicgui.widgets import CheckBox, FloatSpinBox, Widget, create_widget
from magicgui.widgets.bases import RangedWidget
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFormLayout, QLabel

from napari_pqcomq.forms.form_types import register_form_types

T = TypeVar("T")

_MOST_DECIMALS = 8


@dataclass(frozen=True)
class Row:
    """How one field is shown.

    Attributes:
        label: beside the widget; of a tick box, its own text.
        tooltip: one or two sentences.
        suffix: a unit after a number.
        decimals: of a number, more where it has more; None for as many as its step needs.
        options: magicgui's, e.g. ``min``, ``max``, ``step``, ``choices``.
    """

    label: str
    tooltip: str = ""
    suffix: str = ""
    decimals: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class DataclassForm(QObject, Generic[T]):
    """Widgets for the fields of a dataclass, and the dataclass that they stand for.

    Fields without a row keep the value that they were given. The widgets get their parents when a panel lays them out.

    Args:
        value: an instance of the dataclass, shown at first.
        rows: field name → how it is shown.
        parent: Qt parent.

    Attributes:
        changed: emitted once after the user or :meth:`set_value` has changed one or more fields.

    Raises:
        ValueError: a row is for no field of the dataclass.
    """

    changed = Signal()

    def __init__(self, value: T, rows: Mapping[str, Row], parent: QObject | None = None) -> None:
        super().__init__(parent)
        register_form_types()
        kinds = get_type_hints(type(value))
        unknown = set(rows) - set(kinds)
        if unknown:
            raise ValueError(f"{type(value).__name__} has no field {', '.join(sorted(unknown))}")
        self._base = value
        self._labels: dict[str, QLabel] = {}
        self._rows = rows
        self._setting = False
        self._widgets = {name: _made(name, getattr(value, name), kinds[name], row) for name, row in rows.items()}
        for widget in self._widgets.values():
            widget.changed.connect(self._on_widget)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 (each kind of widget has methods of its own)
        """The magicgui widget of a field."""
        return self._widgets[name]

    @property
    def value(self) -> T:
        """The dataclass as the widgets stand.

        Raises:
            InputError: the dataclass refuses the values together.
        """
        return replace(self._base, **{name: widget.value for name, widget in self._widgets.items()})  # type: ignore[type-var]

    def set_value(self, value: T) -> None:
        """Show another instance of the dataclass; numbers beyond a widget's limits become the limits.

        Raises:
            ValueError: a value is none of a field's choices.
        """
        before = self.value
        self._base = value
        self._setting = True
        try:
            for name, widget in self._widgets.items():
                shown = _within_limits(widget, getattr(value, name))
                _set_decimals(widget, self._rows[name], shown)
                widget.value = shown
        finally:
            self._setting = False
        if self.value != before:
            self.changed.emit()

    def update(self, **fields: Any) -> None:  # noqa: ANN401 (each field has a type of its own)
        """Show other values of some fields; see :meth:`set_value`."""
        self.set_value(replace(self.value, **fields))  # type: ignore[type-var]

    def add_rows(self, layout: QFormLayout, names: Iterable[str] | None = None) -> None:
        """Put fields into a layout, one below the other.

        Args:
            layout: of the panel.
            names: of the fields; all of them by default.
        """
        for name in self._widgets if names is None else names:
            widget = self._widgets[name]
            if isinstance(widget, CheckBox):
                layout.addRow(widget.native)
                continue
            self._labels[name] = QLabel(self._rows[name].label)
            self._labels[name].setBuddy(widget.native)
            layout.addRow(self._labels[name], widget.native)

    def set_visible(self, name: str, visible: bool) -> None:
        """Show or hide a field with its label."""
        self._widgets[name].native.setVisible(visible)
        if name in self._labels:
            self._labels[name].setVisible(visible)

    def _on_widget(self, _value: object) -> None:
        if not self._setting:
            self.changed.emit()


def _within_limits(widget: Widget, value: Any) -> Any:  # noqa: ANN401 (a field's value)
    return min(max(value, widget.min), widget.max) if isinstance(widget, RangedWidget) else value


def _set_decimals(widget: Widget, row: Row, value: Any) -> None:  # noqa: ANN401 (a field's value)
    """As many as a row asks for, and more where the value would be rounded: a file's limit is to stay what it is."""
    if isinstance(widget, FloatSpinBox) and row.decimals is not None:
        places = Decimal(repr(float(value))).as_tuple().exponent
        needed = -places if isinstance(places, int) else 0  # no number has none
        widget.native.setDecimals(max(row.decimals, min(needed, _MOST_DECIMALS)))


def _made(name: str, value: object, kind: Any, row: Row) -> Any:  # noqa: ANN401 (a type; one of magicgui's widgets)
    options: dict[str, Any] = {"tooltip": row.tooltip, **row.options}
    widget = create_widget(value=value, annotation=kind, name=name, label=row.label, options=options)
    _set_decimals(widget, row, value)
    if isinstance(widget, FloatSpinBox):
        widget.native.setSuffix(row.suffix)
    widget.native.setAccessibleName(row.label)
    return widget
