"""What the dock says is to be done next."""

from __future__ import annotations

import pytest

from napari_pqcomq.app.guidance.hint_line import next_step

HAS_BOX = {"has_volume": True, "has_box": True, "lacks_checkpoint": False, "has_weights": True, "is_live": False}


@pytest.mark.parametrize("state", ["is_running", "is_opening"])
def test_cancel_is_spoken_of_only_where_there_is_one(state):
    hint = next_step(**HAS_BOX, is_shown=False, **{state: True})
    assert hint.startswith("The bar tells how far it is")
    assert ("Cancel" in hint) == (state == "is_running")
