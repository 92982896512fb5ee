"""Any network with linear and dense convolution layers: what comes out, what is kept in a file, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from pqcomq.errors import InputError
from pqcomq.quantization import layerwise
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import tokens
from pqcomq.quantization.files.module_file import load_module, save_module
from pqcomq.quantization.files.weights_file import load_weights
from pqcomq.quantization.module_layers import copy_of, layers_and_reasons
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_module import quantize_module

EIGHT, FOUR = default_config(None, 8), default_config(None, 4)


class SmallCNN(nn.Module):
    """Padding by a word, by reflection, with a stride, grouped; batch norm and a head."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 12, 3, padding="same", padding_mode="reflect"),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            nn.Conv2d(12, 12, 3, padding=1, groups=12),
            nn.Conv2d(12, 20, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.head = nn.Linear(20, 5)

    def forward(self, image):
        return self.head(self.body(image).mean(dim=(2, 3)))


class SamLike(nn.Module):
    """As the ports of SAM that are about: a list of records in, a list of records out, encoder and decoder apart."""

    def __init__(self):
        super().__init__()
        self.image_encoder = nn.Sequential(nn.Conv2d(3, 16, 4, stride=4), nn.GELU(), nn.Conv2d(16, 16, 1))
        self.attention = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.mask_decoder = nn.ModuleDict({"hyper": nn.Linear(16, 16), "quality": nn.Linear(16, 1)})
        self.register_buffer("pixel_mean", torch.zeros(3, 1, 1))

    def forward(self, batched_input, multimask_output=False):
        answers = []
        for record in batched_input:
            features = self.image_encoder(record["image"][None] - self.pixel_mean).flatten(2).transpose(1, 2)
            features = self.attention(features)
            masks = features @ self.mask_decoder["hyper"](features.mean(dim=1)).transpose(0, 1)
            answers.append({"masks": masks, "iou_predictions": self.mask_decoder["quality"](features.mean(dim=1))})
        return answers


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def cnn():
    return SmallCNN().eval()


@pytest.fixture
def images():
    return [torch.randn(2, 3, 16, 16) for _ in range(4)]


def relative(wanted, reached):
    return float(((wanted - reached).square().sum() / wanted.square().sum()).detach())


@pytest.mark.parametrize("inputs", ["full", "quantized"])
@pytest.mark.parametrize(("bits", "lost"), [(8, 1e-4), (4, 2e-2)])
def test_a_cnn_answers_nearly_as_before_and_is_itself_left_alone(cnn, images, finish, inputs, bits, lost):
    before = {name: tensor.clone() for name, tensor in cnn.state_dict().items()}
    cnn.train()
    made = finish(quantize_module(cnn, images, replace(default_config(None, bits), inputs=inputs)))
    assert cnn.training
    assert not any(module._forward_pre_hooks for module in cnn.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in cnn.state_dict().items())
    assert not made.module.training
    assert list(made.weights) == ["body.0", "body.4", "head"]
    assert made.left_out == {"body.3": "a convolution in 12 groups"}
    assert made.unreached == ()
    new = torch.randn(8, 3, 16, 16)
    assert 0 < relative(cnn.eval()(new), made.module(new)) < lost
    assert made.effective_bits > bits
    assert max(made.layer_errors.values()) < lost


class Remembering(nn.Module):
    """A network whose answer hangs on how often it was run."""

    def __init__(self):
        super().__init__()
        self.head, self.runs = nn.Linear(8, 6), 0

    def forward(self, x):
        self.runs += 1
        return self.head(self.runs * x)


def test_what_a_network_keeps_of_its_passes_is_the_same_in_both_copies(finish):
    model = Remembering().eval()
    made = finish(quantize_module(model, [torch.randn(64, 8)], replace(EIGHT, inputs="quantized")))
    assert relative(model.head.weight, made.module.head.weight) < 1e-3, "fitted to inputs of another pass"


@pytest.mark.parametrize(("inputs", "followed"), [("full", 0), ("quantized", 4)])
def test_passes_count_for_the_layers_times_only_where_they_are_run(cnn, images, finish, monkeypatch, inputs, followed):
    asked = []
    times = layerwise.layer_times
    monkeypatch.setattr(layerwise, "layer_times", lambda *given: asked.append(given[1]) or times(*given))
    finish(quantize_module(cnn, images, replace(EIGHT, inputs=inputs)))
    assert asked == [followed]


def test_the_descent_beats_rounding_to_nearest(cnn, images, finish):
    descended = finish(quantize_module(cnn, images, default_config(None, 2)))
    rounded = finish(quantize_module(cnn, images, QuantizationConfig.plain(2)))
    together = torch.cat(images)
    wanted = cnn(together)
    assert relative(wanted, descended.module(together)) < 0.5 * relative(wanted, rounded.module(together))


def test_every_event_is_told_in_words(cnn, images):
    events = list(quantize_module(cnn, images, EIGHT))
    assert [event.phase for event in events] == ["calibrate"] * 4 + ["quantize"] * 3
    assert events[0].text == "Calibrating: input 1"
    assert events[-1].text.startswith("Quantized head: error ")


def test_a_sam_port_with_records_and_fused_attention(finish):
    model = SamLike().eval()
    calls = [{"batched_input": [{"image": torch.randn(3, 32, 32)}], "multimask_output": False} for _ in range(3)]
    made = finish(quantize_module(model, calls, FOUR))
    assert {"image_encoder.0", "attention.linear1", "mask_decoder.hyper", "mask_decoder.quality"} <= set(made.weights)
    # Torch's attention uses the projection's weight without calling the layer.
    assert made.unreached == ("attention.self_attn.out_proj",)
    new = [{"image": torch.randn(3, 32, 32)}]
    assert relative(model(new)[0]["masks"], made.module(new)[0]["masks"]) < 0.05
    assert "QuantizedModule(SamLike, 4-bit Permutation-COMQ: 7 layers" in repr(made)


@pytest.mark.parametrize("inputs", ["full", "quantized"])
def test_a_layer_that_is_given_no_rows_is_one_that_no_input_reached(finish, inputs):
    class Routed(nn.Module):
        """Two experts, to the second of which nothing is routed."""

        def __init__(self):
            super().__init__()
            self.experts = nn.ModuleList([nn.Linear(8, 4), nn.Linear(8, 4)])

        def forward(self, tokens):
            return torch.cat([self.experts[0](tokens), self.experts[1](tokens[:0])])

    made = finish(quantize_module(Routed(), [torch.randn(30, 8)], replace(EIGHT, inputs=inputs)))
    assert made.unreached == ("experts.1",)
    assert made.layer_errors["experts.1"] == 0.0


@pytest.mark.parametrize("inputs", ["full", "quantized"])
def test_a_layer_may_be_given_its_input_by_name(finish, inputs):
    class ByName(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 4)

        def forward(self, tokens):
            return self.layer(input=tokens)

    made = finish(quantize_module(ByName(), [torch.randn(30, 8)], replace(EIGHT, inputs=inputs)))
    assert made.unreached == ()


def test_a_layer_without_weights_stays_as_it_is(finish):
    empty = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 1, bias=False))
    empty[1].weight = nn.Parameter(torch.zeros(0, 4))
    made = finish(quantize_module(empty, [torch.randn(30, 8)], EIGHT))
    assert made.left_out == {"1": "it holds no weights"}


def test_a_budget_is_kept_and_spent_on_what_matters(images, finish):
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Conv2d(64, 8, 3))
    made = finish(quantize_module(network, images, replace(FOUR, budget=5.0)))
    assert made.effective_bits <= 5.0
    assert len({weight.bits for weight in made.weights.values()}) > 1


def test_arguments_may_be_a_tensor_a_tuple_or_names(cnn, images, finish):
    ways = (images, [(image,) for image in images], [[image] for image in images], [{"image": x} for x in images])
    made = [finish(quantize_module(cnn, way, EIGHT)) for way in ways]
    first = made[0].module.state_dict()
    for other in made[1:]:
        assert all(torch.equal(first[name], tensor) for name, tensor in other.module.state_dict().items())


def test_a_generator_of_inputs_is_taken_once(cnn, images, finish):
    assert finish(quantize_module(cnn, (image for image in images), FOUR)).unreached == ()


def test_a_file_gives_back_the_same_bits(cnn, images, finish, tmp_path):
    made = finish(quantize_module(cnn, images, FOUR))
    path = tmp_path / "cnn.safetensors"
    save_module(made, path)
    other = SmallCNN()
    loaded = load_module(path, other)
    assert all(torch.equal(tensor, loaded.module.state_dict()[n]) for n, tensor in made.module.state_dict().items())
    assert torch.equal(made.module(images[0]), loaded.module(images[0]))
    assert loaded.settings == made.settings
    assert loaded.layer_errors == made.layer_errors
    assert loaded.input_ranges == made.input_ranges
    assert loaded.left_out == made.left_out
    save_module(loaded, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", [torch.complex64, torch.uint16, torch.uint32, torch.uint64, torch.float64, torch.bool])
def test_state_of_any_kind_that_is_saved_is_read_again(finish, tmp_path, kind):
    network = nn.Sequential(nn.Linear(8, 4))
    network.register_buffer("turns", torch.arange(4).to(kind))
    path = tmp_path / "network.safetensors"
    save_module(finish(quantize_module(network, [torch.randn(30, 8)], EIGHT)), path)
    assert torch.equal(load_module(path, network).module.turns, network.turns)


@pytest.mark.parametrize(
    ("state", "kind"),
    [(torch.zeros(2, dtype=torch.complex128), "complex128"), (torch.eye(2).to_sparse(), "sparse_coo")],
)
def test_state_of_a_kind_that_no_file_holds_is_not_saved(finish, tmp_path, state, kind):
    network = nn.Sequential(nn.Linear(8, 4))
    network.register_buffer("turns", state)
    made = finish(quantize_module(network, [torch.randn(30, 8)], EIGHT))
    with pytest.raises(InputError, match=f"'turns' is of a kind that the file cannot hold \\({kind}\\)"):
        save_module(made, tmp_path / "network.safetensors")
    assert not list(tmp_path.iterdir())


def test_files_that_do_not_fit_are_refused(cnn, images, saved, finish, tmp_path):
    path = tmp_path / "cnn.safetensors"
    save_module(finish(quantize_module(cnn, images, EIGHT)), path)
    with pytest.raises(InputError, match="is for a SmallCNN with other layers than this SamLike"):
        load_module(path, SamLike())
    wider = SmallCNN()
    wider.head = nn.Linear(20, 6)
    with pytest.raises(InputError, match="'head' do not fit"):
        load_module(path, wider)
    with pytest.raises(InputError, match="holds no weights of a network of one's own"):
        load_module(saved, cnn)
    with pytest.raises(InputError, match="load them into that network"):
        load_weights(path)
    with pytest.raises(InputError, match="no such weights file"):
        load_module(tmp_path / "nothing.safetensors", cnn)
    with pytest.raises(InputError, match=r"ends in \.safetensors"):
        save_module(finish(quantize_module(cnn, images, EIGHT)), tmp_path / "cnn.pt")


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 16)
        self.hidden, self.head = nn.Linear(16, 16), nn.Linear(16, 30, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, words):
        return self.head(self.hidden(self.embedding(words)))


def test_tied_weights_stay_in_full_precision_and_tied(finish, tmp_path):
    words = [torch.randint(0, 30, (4, 7)) for _ in range(3)]
    model = Tied()
    made = finish(quantize_module(model, words, FOUR))
    assert list(made.weights) == ["hidden"]
    assert made.left_out == {"head": "shares its weight with embedding"}
    assert made.module.head.weight is made.module.embedding.weight
    assert torch.equal(made.module.head.weight, model.head.weight)
    save_module(made, tmp_path / "tied.safetensors")
    loaded = load_module(tmp_path / "tied.safetensors", Tied())
    assert loaded.module.head.weight is loaded.module.embedding.weight
    assert torch.equal(loaded.module(words[0]), made.module(words[0]))


def test_a_layer_that_is_used_twice_is_quantized_once(finish):
    shared = nn.Linear(8, 8)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    made = finish(quantize_module(model, [torch.randn(20, 8) for _ in range(2)], FOUR))
    assert list(made.weights) == ["0"]
    assert made.module[0] is made.module[2]


def test_parametrized_weights_stay_in_full_precision(finish):
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 6)), nn.Linear(6, 6))
    made = finish(quantize_module(model, [torch.randn(10, 6)], FOUR))
    assert made.left_out == {"0": "its weight is computed from other parameters"}
    assert list(made.weights) == ["1"]


class RemembersItsOutput(nn.Linear):
    def forward(self, x):
        self.kept = super().forward(x)
        return self.kept


def test_a_network_that_cannot_be_copied_is_refused_in_a_sentence(finish):
    model = RemembersItsOutput(6, 6)
    model(torch.randn(2, 6))  # with a gradient, which no copy can take along
    with pytest.raises(InputError, match=r"^RemembersItsOutput cannot be copied: "):
        finish(quantize_module(model, [torch.randn(10, 6)], FOUR))
    with pytest.raises(InputError, match=r"^RemembersItsOutput cannot be copied: "):
        copy_of(model)


def test_convolutions_of_other_kinds_stay_in_full_precision_and_are_named(finish):
    model = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ConvTranspose1d(4, 3, 3), nn.Linear(20, 6))
    made = finish(quantize_module(model, [torch.randn(2, 3, 20)], FOUR))
    assert made.left_out == {
        "0": "a layer of another kind (Conv1d)",
        "1": "a layer of another kind (ConvTranspose1d)",
    }
    assert list(made.weights) == ["2"]


def test_a_layer_never_reached_is_rounded_and_named(finish):
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(6, 6), nn.Linear(6, 6)

        def forward(self, x):
            return self.used(x)

    for settings in (FOUR, EIGHT):
        made = finish(quantize_module(Unused(), [torch.randn(10, 6)], settings))
        assert made.unreached == ("spare",)
        assert made.layer_errors["spare"] == 0.0


class TwoWays(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.other, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x, way):
        x = self.one(x) if way else self.other(x)
        return x if way is None else self.last(x)


def test_inputs_that_take_different_ways_are_refused_where_passes_halt_together(finish):
    two = [(torch.randn(5, 6), True), (torch.randn(5, 6), False)]
    with pytest.raises(InputError, match="reached 'other' and 'one' at the same time; settings with inputs='full'"):
        finish(quantize_module(TwoWays(), two, FOUR))
    early = [(torch.randn(5, 6), False), (torch.randn(5, 6), None)]
    with pytest.raises(InputError, match="some calibration passes ended before others"):
        finish(quantize_module(TwoWays(), early, FOUR))
    made = finish(quantize_module(TwoWays(), two, replace(FOUR, inputs="full")))
    assert made.unreached == ()


@pytest.mark.parametrize(
    ("model", "inputs", "words"),
    [
        (nn.ReLU(), [torch.ones(2)], "ReLU has no linear or dense two-dimensional convolution layer"),
        (nn.Conv2d(4, 4, 1, groups=4), [torch.ones(1, 4, 2, 2)], "a convolution in 4 groups"),
        (nn.LazyLinear(3), [torch.ones(2, 4)], "its size is not known"),
        (nn.Linear(3, 3), [], "at least one input"),
        (nn.Linear(3, 3), [torch.tensor([[1.0, float("nan"), 0.0]])], "not finite"),
        (nn.Linear(3, 3), [{"input": torch.full((1, 3), torch.inf)}], "not finite"),
        (nn.Linear(3, 3), ["ct.nii.gz"], "is a str; give a tensor"),
        (nn.Linear(3, 3), [torch.ones(2, 4)], "does not run on the first calibration input: .*mat1"),
        (nn.Linear(3, 3), [{"picture": torch.ones(2, 3)}], "unexpected keyword argument 'picture'"),
        (nn.Linear(3, 3).half(), [torch.ones(2, 3).half()], "holds float16; turn the network to float32"),
        (nn.Linear(3, 3, device="meta"), [torch.ones(2, 3)], "is on meta; move it to the CPU"),
    ],
)
def test_what_cannot_be_quantized_is_refused_in_a_sentence(finish, model, inputs, words):
    for settings in (FOUR, EIGHT):
        with pytest.raises(InputError, match=words):
            finish(quantize_module(model, inputs, settings))


def test_weights_that_are_not_finite_are_named(finish):
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight.data[0, 0] = float("nan")
    with pytest.raises(InputError, match="layer '1' cannot be quantized: the weights hold values that are not finite"):
        finish(quantize_module(model, [torch.ones(2, 3)], FOUR))


def test_settings_of_the_medsam_family_are_refused(finish):
    with pytest.raises(InputError, match="decoder and tones are settings of the MedSAM family"):
        finish(quantize_module(nn.Linear(3, 3), [torch.ones(2, 3)], default_config("lite-medsam", 4)))


def test_a_budget_needs_an_output_to_judge_by(finish):
    class Silent(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(64, 64)

        def forward(self, x):
            self.layer(x)

    with pytest.raises(InputError, match="gives no tensor to judge layers by"):
        finish(quantize_module(Silent(), [torch.randn(4, 64)], replace(FOUR, budget=5.0)))


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular", "replicate"])
@pytest.mark.parametrize("padding", [0, 1, (2, 1), "same", "valid"])
def test_tokens_are_what_a_convolution_multiplies(padding_mode, padding):
    layer = nn.Conv2d(3, 4, (3, 2), padding=padding, padding_mode=padding_mode, dilation=(1, 2))
    for image in (torch.randn(2, 3, 9, 8), torch.randn(3, 9, 8)):
        wanted = layer(image)
        reached = tokens(layer, image) @ layer.weight.flatten(1).T + layer.bias
        assert torch.allclose(wanted.movedim(-3, -1).reshape(-1, 4), reached, atol=1e-5)


def test_tokens_of_a_single_row():
    layer = nn.Linear(4, 2)
    assert tokens(layer, torch.ones(4)).shape == (1, 4)


def test_layers_come_in_the_order_of_definition(cnn):
    assert list(layers_and_reasons(cnn)[0]) == ["body.0", "body.4", "head"]
