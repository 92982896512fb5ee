"""The tag that distinguishes layers of a comparison from the user's."""

from __future__ import annotations

from napari.layers import Layer

_COMPARISON_KEY = "pqcomq_comparison"
"""Marks the layers of a comparison in their metadata, so that they are not taken for the user's."""


def mark_as_comparison(layer: Layer) -> Layer:
    """Tell a layer of the comparison from the user's."""
    layer.metadata[_COMPARISON_KEY] = True
    return layer


def is_of_comparison(layer: Layer) -> bool:
    """Whether a layer was made for the comparison view."""
    return bool(layer.metadata.get(_COMPARISON_KEY))


def take_for_users(layer: Layer) -> None:
    """Take a layer for the user's from now on: a copy that they made has the tag of what it was copied from."""
    layer.metadata.pop(_COMPARISON_KEY, None)
