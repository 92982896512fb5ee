"""What each layer sees in SequentialForward, against hooks on whole forward passes."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.calibration.sequential_forward import SequentialForward
from pqcomq.quantization.layer_names import copied, layers_to_quantize

from .pass_grams import gathering_grams


@pytest.fixture(scope="module")
def images(small_model, phantom):
    from pqcomq.volumes.intensity_window import eight_bit

    shown = eight_bit(phantom)
    return [small_model.transforms.image(shown[z]) for z in (1, 3)]


BOXES = torch.tensor([[[40.0, 50.0, 120.0, 140.0]], [[90.0, 80.0, 200.0, 210.0]]])


def passes(model, images):
    return [partial(lambda image: model.logits(model.embed(image), BOXES), image) for image in images]


@pytest.mark.slow
def test_layers_of_encoder_and_decoder_see_what_their_predecessors_left_them(small_model, images):
    low = copied(small_model)
    layers, low_layers = (layers_to_quantize(model, decoder=True) for model in (small_model, low))
    with gathering_grams(layers) as beforehand:
        for run in passes(small_model, images):
            run()
    generator = torch.Generator().manual_seed(1)
    seen: dict[str, PairedGram] = {}
    for name, paired in SequentialForward(passes(small_model, images), passes(low, images), layers, low_layers):
        seen[name] = paired
        weight = low_layers[name].weight.data
        weight *= 1 + 0.05 * torch.randn(weight.shape, generator=generator)
    assert set(seen) == set(layers)
    # Now that all of ``low`` is distorted, a plain pass through it must show each layer the inputs that it saw then.
    with gathering_grams(low_layers) as afterwards:
        for run in passes(low, images):
            run()
    for name, paired in seen.items():
        scale = afterwards[name].gram.abs().max()
        assert torch.allclose(paired.seen.gram / scale, afterwards[name].gram / scale, atol=1e-5), name
        scale = beforehand[name].gram.abs().max()
        assert torch.allclose(paired.full.gram / scale, beforehand[name].gram / scale, atol=1e-5), name
        assert paired.seen.count == paired.full.count == beforehand[name].count
        # X̂ᵀX lies between the two Gram matrices: by Cauchy–Schwarz no entry of its diagonal is larger.
        bound = (paired.seen.gram.diagonal() * paired.full.gram.diagonal()).sqrt()
        assert (paired.cross.diagonal().abs() <= bound * (1 + 1e-3) + 1e-3).all(), name


def test_a_layer_that_runs_twice_counts_once_and_one_that_never_runs_is_left_out():
    full, low, never = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)
    x = torch.randn(6, 4)
    steps = SequentialForward(
        [lambda: full(full(x))], [lambda: low(low(x))], {"twice": full, "never": never}, {"twice": low, "never": never}
    )
    ((name, paired),) = steps
    assert (name, paired.seen.count) == ("twice", 6)
    assert torch.allclose(paired.cross, x.T @ x, atol=1e-5)


@pytest.mark.parametrize("halts", [0, 1, 5])
def test_closed_on_the_way_it_leaves_no_hooks(small_model, images, halts):
    low = copied(small_model)
    layers, low_layers = (layers_to_quantize(model, decoder=False) for model in (small_model, low))
    steps = SequentialForward(passes(small_model, images), passes(low, images), layers, low_layers)
    for _ in range(halts):
        next(steps)
    steps.close()
    for model in (small_model, low):
        assert not any(module._forward_pre_hooks for module in model.image_encoder.modules())
    assert not torch.is_inference_mode_enabled()


def test_what_goes_wrong_in_a_pass_reaches_the_caller(small_model, images):
    low = copied(small_model)
    layers, low_layers = (layers_to_quantize(model, decoder=False) for model in (small_model, low))
    with pytest.raises(RuntimeError, match="at the same time"):
        list(
            SequentialForward(
                passes(small_model, images), [lambda: layers["neck.0"](images[0])] * 2, layers, low_layers
            )
        )
    with pytest.raises(ZeroDivisionError):
        list(SequentialForward([lambda: 1 // 0], passes(low, images[:1]), layers, low_layers))
    assert not any(module._forward_pre_hooks for module in small_model.image_encoder.modules())
