"""Which quantized weights are kept at hand, and for how long."""

from __future__ import annotations

from pathlib import Path

from napari_pqcomq.jobs.choices import ModelChoice
from napari_pqcomq.jobs.model_cache import ModelCache
from pqcomq.quantization.presets import default_config

EIGHT, FOUR = (ModelChoice("lite-medsam", None, default_config("lite-medsam", bits)) for bits in (8, 4))
OTHER = ModelChoice("medsam", Path("other.pth"), default_config("medsam", 8))


def test_weights_are_found_by_the_choice_they_were_made_for():
    models, made = ModelCache(), object()
    assert models.newest is None
    models.keep(EIGHT, made)
    assert models.quantized(EIGHT) is made
    assert models.quantized(FOUR) is None
    assert models.missing((EIGHT, FOUR)) == (FOUR,)
    assert models.newest is made


def test_weights_of_another_model_make_room_but_other_bit_widths_stay():
    models = ModelCache()
    for choice in (EIGHT, FOUR):
        models.keep(choice, object())
    assert models.missing((EIGHT, FOUR)) == ()
    models.keep(OTHER, object())
    assert models.missing((EIGHT, FOUR)) == (EIGHT, FOUR)
