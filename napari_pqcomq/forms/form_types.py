"""The project's types and the widgets that magicgui makes for them.

Only types of the project's own are registered: what is registered holds for every plugin in the same napari.
"""

from __future__ import annotations

from functools import cache

from magicgui.type_map import register_type

from napari_pqcomq.forms.bit_widths_edit import BitWidthsEdit
from napari_pqcomq.forms.mask_kind_edit import MaskKindEdit
from napari_pqcomq.forms.runtime_edit import RuntimeEdit
from napari_pqcomq.forms.value_types import BitWidths, VolumeFiles
from napari_pqcomq.forms.volume_files_edit import VolumeFilesEdit
from pqcomq.backends.runtime import Runtime
from pqcomq.masks.file_formats import MaskKind


@cache
def register_form_types() -> None:
    """Tell magicgui once which widgets belong to the project's types."""
    register_type(BitWidths, widget_type=BitWidthsEdit)
    register_type(MaskKind, widget_type=MaskKindEdit)
    register_type(Runtime, widget_type=RuntimeEdit)
    register_type(VolumeFiles, widget_type=VolumeFilesEdit)
