"""Which quantized weights are kept at hand, for what, and for how long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from napari_pqcomq.jobs.models import model_cache
from napari_pqcomq.jobs.models.choices import CalibrationChoice, ModelChoice, WeightsOrigin
from napari_pqcomq.jobs.models.model_cache import ModelCache
from pqcomq.backends.runtime import Runtime
from pqcomq.progress import finished
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantized_model import QuantizedModel

EIGHT, FOUR = (ModelChoice("lite-medsam", None, default_config("lite-medsam", bits)) for bits in (8, 4))
OTHER = ModelChoice("medsam", Path("other.pth"), default_config("medsam", 8))
LIVER, BRAIN = (WeightsOrigin(CalibrationChoice(8), key, key) for key in ("liver", "brain"))


def made():
    """Weights as far as the cache looks at them."""
    return SimpleNamespace(segmenter=SimpleNamespace(checkpoint_bytes=40_000_000))


def test_weights_are_found_by_the_choice_they_were_made_for():
    models, weights = ModelCache(), made()
    assert models.newest is None
    models.keep(EIGHT, weights)
    assert models.quantized(EIGHT) is weights
    assert models.quantized(FOUR) is None
    assert models.missing((EIGHT, FOUR)) == (FOUR,)
    assert models.newest is weights


def test_weights_of_another_model_make_room_but_other_bit_widths_stay():
    models = ModelCache()
    for choice in (EIGHT, FOUR):
        models.keep(choice, made())
    assert models.missing((EIGHT, FOUR)) == ()
    models.keep(OTHER, made())
    assert models.missing((EIGHT, FOUR)) == (EIGHT, FOUR)


def test_weights_are_remembered_by_volume_and_settings():
    models, liver, brain = ModelCache(), made(), made()
    models.keep(EIGHT, liver, LIVER)
    assert models.quantized(EIGHT, BRAIN) is None, "they were calibrated on another volume"
    assert models.missing((EIGHT,), BRAIN) == (EIGHT,)
    assert models.quantized(EIGHT, WeightsOrigin(CalibrationChoice(4), "liver")) is None, "on other slices"
    models.keep(EIGHT, brain, BRAIN)
    assert models.quantized(EIGHT, LIVER) is liver, "back on the first volume, its own are there"
    assert models.quantized(EIGHT, BRAIN) is brain
    loaded = made()
    models.keep(EIGHT, loaded)
    assert models.quantized(EIGHT, LIVER) is loaded, "a file that the user has loaded serves anywhere"


def test_weights_made_elsewhere_are_named_where_all_widths_are_there():
    models = ModelCache()
    models.keep(EIGHT, made(), LIVER)
    assert models.made_elsewhere((EIGHT,)) == LIVER
    assert models.made_elsewhere((EIGHT, FOUR)) is None
    models.keep(FOUR, made(), LIVER)
    assert models.made_elsewhere((EIGHT, FOUR)) == LIVER
    assert str(LIVER) == "8 slices of liver"


def test_what_was_removed_from_the_machine_is_not_taken_for_what_comes_next(monkeypatch):
    loaded = []
    monkeypatch.setattr(model_cache, "load_model", lambda *asked: loaded.append(asked) or made())
    models = ModelCache()
    first = models.take("medsam", None)
    models.keep(replace(OTHER, checkpoint=None), made())
    models.forget("lite-medsam")
    assert models.take("medsam", None) is first
    models.forget("medsam")
    assert models.quantized(replace(OTHER, checkpoint=None)) is None
    assert models.take("medsam", None) is not first, "another file may have been taken over since"
    models.keep(OTHER, made())
    models.forget("medsam")
    assert models.quantized(OTHER) is not None, "of a file of the user's own, which is still there"


def test_of_too_many_the_oldest_are_dropped(monkeypatch):
    monkeypatch.setattr(model_cache, "_MOST_BYTES", 80_000_000)
    models = ModelCache()
    for key in "abcde":
        models.keep(EIGHT, made(), WeightsOrigin(CalibrationChoice(8), key))
    kept = [models.quantized(EIGHT, WeightsOrigin(CalibrationChoice(8), key)) is not None for key in "abcde"]
    assert kept == [False, True, True, True, True], "the widths of one comparison stay, however large"


def test_a_checkpoint_that_serves_two_models_is_made_ready_for_each(lite_medsam):
    models, other = ModelCache(), replace(lite_medsam, key="lite-medsam-scribble")
    for model in (lite_medsam, other):
        (ready,) = finished(models.compared_models(model, [], Runtime.torch))
        assert ready.segmenter.key == model.key


def test_two_calibrations_of_the_same_weights_are_made_ready_apart(lite_medsam, monkeypatch):
    monkeypatch.setattr(model_cache, "_compared_model", lambda model, runtime: model)
    one = QuantizedModel(lite_medsam, {}, EIGHT.settings, {}, {}, {"layer": (0.0, 1.0)})
    other = replace(one, input_ranges={"layer": (0.0, 2.0)})
    models = ModelCache()
    for each in (one, other):
        assert finished(models.compared_models(lite_medsam, [each], Runtime.torch))[1] is each
