from __future__ import annotations

import pytest
from napari.layers import Layer

from napari_pqcomq.layers.volume_layers import image_tuple
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.prompts.prompt_panel import PromptPanel


@pytest.fixture
def objects():
    return PromptList()


@pytest.fixture
def panel(shown_viewer, volume, objects, qtbot):
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    shown_viewer.dims.set_current_step(0, 6)
    panel = PromptPanel(shown_viewer, objects)
    qtbot.addWidget(panel)
    panel.set_volume(volume)
    yield panel
    panel.release()
