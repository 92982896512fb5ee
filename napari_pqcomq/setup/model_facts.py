"""What is to be known of a model before it is chosen."""

from __future__ import annotations

from qtpy.QtCore import Qt

from napari_pqcomq.translation import tr
from pqcomq.models.catalogue.entries import Entry, entry_of
from pqcomq.models.catalogue.model_store import stored_checkpoint

_MEGABYTE = 1e6

NOTE_ROLE = int(Qt.ItemDataRole.UserRole) + 7
"""Under this role an entry of the list has its note."""


def size_title(count: int) -> str:
    """Bytes for people."""
    return f"{count / _MEGABYTE:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def note_of(entry: Entry) -> str:
    """What the list of models says beside a name: size, licence, and whether the weights are here."""
    here = entry.embedded or stored_checkpoint(entry.key) is not None
    facts = [size_title(entry.size)] * bool(entry.size) + [entry.licence.partition(" (")[0]] + [tr("here")] * here
    return " · ".join(facts)


def prompts_of(entry: Entry) -> str:
    """The prompts that a model was trained for, for people."""
    return {"box": tr("boxes"), "points": tr("boxes and points"), "scribble": tr("scribbles")}[entry.prompts[-1]]


def facts_of(key: str) -> str:
    """A model's tooltip."""
    entry = entry_of(key)
    return tr(
        "{title}, {note}: trained on {trained_on}; takes {prompts}. Licence of the weights: {licence}. Image of "
        "{side} × {side} pixels: {preprocessing}. {citation}.",
        title=entry.title,
        note=note_of(entry),
        trained_on=entry.trained_on,
        prompts=prompts_of(entry),
        licence=entry.licence,
        side=entry.side,
        preprocessing=entry.preprocessing,
        citation=entry.citation,
    )
