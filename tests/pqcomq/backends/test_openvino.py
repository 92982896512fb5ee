"""The fast runtime against torch: the same weights, the same masks."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from pqcomq.backends import openvino_model, processor
from pqcomq.backends.int8_weights import integer_values
from pqcomq.backends.layer_source import Layer, in_own_order
from pqcomq.backends.obstacle import available, obstacle
from pqcomq.backends.openvino_model import on_runtime
from pqcomq.backends.runtime import Runtime
from pqcomq.comparison.measures.metrics import dice
from pqcomq.errors import InputError
from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import quantizable_layers
from pqcomq.quantization.algorithm.quantize_matrix import quantize_matrix
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.planning.presets import default_config
from pqcomq.segmentation.box import tight_box
from pqcomq.volumes.intensity_window import eight_bit

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed")
from pqcomq.backends import graph_ops  # noqa: E402


def packed_weight(bits: int, rows: int, columns: int, zero_point: str = "real", permutation: str = "magnitude"):
    torch.manual_seed(bits * columns)
    weight, inputs = torch.randn(rows, columns), torch.randn(300, columns)
    settings = QuantizationConfig(bits=bits, zero_point=zero_point, permutation=permutation, sweeps=1)
    return quantize_matrix(weight, inputs.T @ inputs, settings)


def product(layer: Layer, inputs: torch.Tensor) -> torch.Tensor:
    """``layer`` alone, compiled and run in float32."""
    from openvino import opset13 as op

    x = op.parameter([1, *inputs.shape], np.float32)
    graph = openvino.Model([op.result(graph_ops.Products().linear(x, layer))], [x])
    options = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    return torch.from_numpy(openvino.Core().compile_model(graph, "CPU", options)([inputs[None].numpy()])[0])[0]


def test_weights_of_two_calibrations_are_two_models_where_inputs_are_rounded(quantized, monkeypatch):
    """Rounded to nearest, weights are the same whatever they were calibrated on; the ranges of inputs are not."""
    monkeypatch.setattr(openvino_model, "obstacle", lambda runtime: None)
    monkeypatch.setattr(openvino_model, "runs_in_integers", lambda model: True)
    monkeypatch.setattr(openvino_model, "request", lambda core, graph, arithmetic: None)
    wider = {name: (2 * low - 1, 2 * high + 1) for name, (low, high) in quantized.input_ranges.items()}
    both = quantized, replace(quantized, input_ranges=wider)
    one, other = (on_runtime(each, Runtime.openvino_int8) for each in both)
    assert one.fingerprint == other.fingerprint
    assert one.rounding != other.rounding
    assert on_runtime(both[0], Runtime.openvino_int8).rounding == one.rounding
    assert [on_runtime(each, Runtime.openvino).rounding for each in both] == ["", ""]


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize(("columns", "zero_point"), [(128, "real"), (160, "real"), (128, "integer"), (3, "real")])
def test_constants_stand_for_exactly_what_the_codes_stand_for(bits, columns, zero_point):
    """An identity as input reads a weight out of the compiled kernel.

    Scale and zero point may be applied in another order there, which rounds a float32's last bits differently; a wrong
    code would be off by a whole step, a 16-bit scale by 2⁻¹¹.
    """
    weight = packed_weight(bits, 48, columns, zero_point)
    read = product(Layer(weight, None), torch.eye(columns)).T
    torch.testing.assert_close(read, weight.dequantize(), rtol=1e-5, atol=1e-5)


def test_a_fold_of_the_permutation_moves_rows_and_nothing_else():
    first, second = packed_weight(4, 64, 32), packed_weight(4, 16, 64)
    one, other = graph_ops.through(Layer(second, None), Layer(first, torch.arange(64.0)))
    assert other.permutation is None
    order = second.permutation.long()
    assert torch.equal(one.matrix(), first.dequantize()[order])
    assert torch.equal(one.bias, torch.arange(64.0)[order])
    inputs = torch.randn(5, 32)
    expected = (inputs @ first.dequantize().T + torch.arange(64.0)) @ second.dequantize().T
    torch.testing.assert_close(product(other, product(one, inputs)), expected, rtol=1e-4, atol=1e-3)


def test_a_permutation_within_one_unit_is_undone_without_changing_a_code():
    weight = packed_weight(4, 16, 64)
    assert weight.permutation is not None
    own = in_own_order(weight)
    assert own.permutation is None
    assert torch.equal(own.dequantize(), weight.dequantize())
    of_two_units = packed_weight(4, 16, 128)
    assert in_own_order(of_two_units) is of_two_units


def test_the_encoder_s_packed_weights_reach_the_kernels(quantized):
    """All but the three-channel convolution are multiplied with packed."""
    from pqcomq.backends import tiny_vit_graph as tiny_vit
    from pqcomq.backends.layer_source import LayerSource

    source = LayerSource(quantized.segmenter.image_encoder, quantized.weights, {})
    graph = tiny_vit.encoder(source, graph_ops.Products())
    held = [op for op in graph.get_ops() if op.get_type_name() == "Constant"]
    codes = sum(
        np.prod(list(op.get_output_shape(0)))
        for op in held
        if op.get_output_element_type(0).to_string() in ("u4", "u8") and len(op.get_output_shape(0)) == 3
    )  # (rows, units, columns of a unit); tables of distances are bytes too, (tokens, tokens)
    unpacked = ("patch_embed.seq.0",)
    expected = sum(
        w.rows * w.columns
        for name, w in quantized.weights.items()
        if name not in unpacked and not name.startswith("mask_decoder.")
    )
    assert codes == expected


@pytest.mark.parametrize("permutation", ["none", "magnitude"])
def test_a_packed_convolution_is_torch_s(permutation):
    torch.manual_seed(4)
    settings = QuantizationConfig(bits=4, permutation=permutation, sweeps=0, feedback=False)
    weight = quantize_matrix(torch.randn(24, 16 * 9), torch.eye(16 * 9), settings, (24, 16, 3, 3))
    layer, side = Layer(weight, torch.randn(24)), 10
    from openvino import opset13 as op

    tokens = op.parameter([1, side * side, 16], np.float32)
    graph = openvino.Model([op.result(graph_ops.Products().convolution(tokens, layer, side))], [tokens])
    assert not any("Convolution" in node.get_type_name() for node in graph.get_ops())
    image = torch.randn(1, 16, side, side)
    found = run_graph(graph, image.flatten(2).transpose(1, 2))
    expected = torch.nn.functional.conv2d(image, weight.dequantize(), layer.bias, padding=1)
    torch.testing.assert_close(found.transpose(1, 2).view_as(expected), expected, rtol=1e-4, atol=1e-4)


def test_position_biases_stay_tables_in_the_compiled_encoder(lite_medsam):
    """A window of 14² tokens has 196² pairs, but 196 distances; spread out, six blocks hold 4.6 MB of them."""
    from pqcomq.backends import tiny_vit_graph as tiny_vit
    from pqcomq.backends.layer_source import LayerSource

    graph = tiny_vit.encoder(LayerSource(lite_medsam.image_encoder, {}, {}), graph_ops.Products())
    compiled = openvino.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    shapes = [
        tuple(node.get_output_shape(0))
        for node in compiled.get_runtime_model().get_ops()
        if node.get_output_element_type(0).to_string() == "f32" and not node.inputs()
    ]
    assert (1, 5, 196) in shapes
    assert (1, 5, 196, 196) not in shapes


@pytest.fixture(scope="module")
def prompts(synthetic):
    """Slices of the synthetic CT with a box for an organ on each: (pixels, box)."""
    labels, pixels = synthetic.labels, eight_bit(synthetic.volume, None)
    chosen = []
    for label in sorted(synthetic.names)[:3]:
        z = int(np.count_nonzero(labels == label, axis=(1, 2)).argmax())
        chosen.append((pixels[z], tight_box(labels[z] == label, 2)))
    return chosen


def agreement(one: Segmenter, other: Segmenter, prompts) -> list[float]:
    return [dice(*(model.decode(model.encode(pixels), box)[0] for model in (one, other))) for pixels, box in prompts]


@pytest.mark.slow
def test_full_precision_gives_torch_s_masks(lite_medsam, prompts):
    fast = on_runtime(lite_medsam, Runtime.openvino)
    assert min(agreement(lite_medsam, fast, prompts)) > 0.999
    assert fast.precision == "FP32, OpenVINO"
    assert fast.execution != lite_medsam.execution, "embeddings of two runtimes never mix"


def test_packed_weights_give_the_masks_of_the_same_weights_in_torch(quantized, prompts):
    assert {weight.bits for weight in quantized.weights.values()} == {2, 3, 4, 5, 8}
    fast = on_runtime(quantized, Runtime.openvino)
    assert min(agreement(quantized.segmenter, fast, prompts)) >= 0.995
    assert not fast.execution.simulated
    assert quantized.segmenter.execution.simulated


def test_bfloat16_is_asked_for_and_told(quantized, prompts):
    if not available(Runtime.openvino_bf16):
        pytest.skip("this processor has no bfloat16")
    fast = on_runtime(quantized, Runtime.openvino_bf16)
    assert min(agreement(quantized.segmenter, fast, prompts)) > 0.9
    assert "BF16" in fast.precision
    assert "BF16" in fast.execution.activations


def test_several_boxes_are_decoded_at_once(quantized, prompts):
    fast = on_runtime(quantized, Runtime.openvino)
    pixels, box = prompts[0]
    boxes = np.stack([box, box + 5, box])
    embedding = fast.encode(pixels)
    together = fast.decode(embedding, boxes)
    assert together.shape == (3, *pixels.shape)
    # One box or three: sums may be taken in another order, so that a logit beside 0 changes its sign.
    assert dice(together[0], together[2]) > 0.995
    for one, mask in zip(boxes, together, strict=True):
        assert dice(fast.decode(embedding, one)[0], mask) > 0.995


def test_an_embedding_is_not_written_over_by_the_next(small_model):
    fast, generator = on_runtime(small_model, Runtime.openvino), np.random.default_rng(0)
    first, second = (generator.integers(0, 256, (60, 80), dtype=np.uint8) for _slice in range(2))
    embedding = fast.encode(first)
    kept = embedding.features.clone()
    assert not torch.equal(fast.encode(second).features, kept)
    assert torch.equal(embedding.features, kept)


def test_a_missing_library_is_named_with_a_way_out(lite_medsam, without_openvino):
    without_openvino()
    with pytest.raises(InputError, match=r"OpenVINO, which is not installed.*torch"):
        on_runtime(lite_medsam, Runtime.openvino)
    assert not available(Runtime.openvino)


def test_a_processor_without_bfloat16_is_named_and_nothing_else_is_taken(lite_medsam, monkeypatch):
    class Core:
        def get_property(self, _device, _name):
            return ["FP32"]

    monkeypatch.setattr(openvino, "Core", Core)
    with pytest.raises(InputError, match="processor with BF16, which this one has not"):
        on_runtime(lite_medsam, Runtime.openvino_bf16)


def test_a_processor_that_cuts_sums_of_bytes_off_is_named(lite_medsam, monkeypatch):
    monkeypatch.setattr(processor, "sums_bytes_exactly", lambda: False)
    with pytest.raises(InputError, match=r"openvino-int8 needs a processor that sums.*VNNI.*choose openvino or torch"):
        on_runtime(lite_medsam, Runtime.openvino_int8)
    assert "; choose" not in obstacle(Runtime.openvino_int8), "no advice where it was followed already"
    assert not available(Runtime.openvino_int8_bf16)
    assert available(Runtime.openvino)


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="not an x86 processor")
def test_x86_instructions_from_before_vnni_are_found_to_cut_sums_off():
    """Newer processors are asked to do without what they have."""
    code = "from pqcomq.backends.processor import sums_bytes_exactly; print(sums_bytes_exactly())"
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    ran = subprocess.run([sys.executable, "-c", code], env=limited, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[-1] == "False"


def test_a_compilation_that_fails_is_told_in_one_sentence(lite_medsam, monkeypatch):
    class Core:
        def get_property(self, _device, _name):
            return ["FP32"]

        def compile_model(self, *_):
            raise RuntimeError("Exception from src:\nCan't allocate 99 bytes")

    monkeypatch.setattr(openvino, "Core", Core)
    with pytest.raises(InputError, match=r"could not compile.*allocate 99 bytes.*choose runtime torch"):
        on_runtime(lite_medsam, Runtime.openvino)


@pytest.mark.parametrize(
    ("problem", "words"),
    [(RuntimeError("Exception from src/x.cpp:\nbad allocation\n"), "bad allocation"), (MemoryError(), "MemoryError")],
)
def test_a_pass_that_fails_is_told_in_one_sentence(problem, words):
    from pqcomq.backends.compiled_networks import CompiledEncoder

    class Request:
        def infer(self, *_, **__):
            raise problem

    with pytest.raises(InputError, match=rf"could not run the model \({words}\).*memory.*choose runtime torch") as told:
        CompiledEncoder(Request())(torch.zeros(1, 3, 4, 4))
    assert "\n" not in str(told.value)


def test_eight_bit_inputs_need_weights_made_for_them(lite_medsam, quantized, monkeypatch):
    monkeypatch.setattr(processor, "sums_bytes_exactly", lambda: True)  # nothing is computed
    for model in (lite_medsam, quantized):
        with pytest.raises(InputError, match="quantize it with --integer"):
            on_runtime(model, Runtime.openvino_int8)


def test_torch_is_the_model_itself(lite_medsam, quantized):
    assert on_runtime(lite_medsam, Runtime.torch) is lite_medsam
    assert on_runtime(quantized, Runtime.torch) is quantized.segmenter
    assert isinstance(next(iter(quantized.weights.values())), QuantizedWeight)
    assert quantized.weights.keys() >= quantizable_layers(lite_medsam.image_encoder).keys()


def run_graph(graph, *inputs: torch.Tensor) -> torch.Tensor:
    options = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    return torch.from_numpy(openvino.Core().compile_model(graph, "CPU", options)([x.numpy() for x in inputs])[0])


@pytest.mark.parametrize("strips", [False, True])
def test_medsam_s_encoder_computes_what_segment_anything_s_does(strips, monkeypatch):
    """A small one of the same kind: one block of windows that need padding, one that looks everywhere."""
    from segment_anything.modeling import ImageEncoderViT

    from pqcomq.backends import sam_vit_graph as sam_vit
    from pqcomq.backends.layer_source import LayerSource

    if strips:
        monkeypatch.setattr(sam_vit, "_MOST_SCORES", 16**4)  # one head alone would fit
        monkeypatch.setattr(sam_vit, "_STRIP", 100)  # of 256 queries
    torch.manual_seed(3)
    network = ImageEncoderViT(
        img_size=256,
        embed_dim=64,
        depth=2,
        num_heads=2,
        use_rel_pos=True,
        window_size=14,
        global_attn_indexes=(1,),
    ).eval()
    for name, parameter in network.named_parameters():
        if "rel_pos" in name or name == "pos_embed":
            torch.nn.init.normal_(parameter, std=0.3)
    network.requires_grad_(False)
    layers = quantizable_layers(network)
    weights = {
        name: quantize_matrix(
            layer.weight.flatten(1),
            torch.eye(layer.weight.flatten(1).shape[1]),
            QuantizationConfig(bits=4, sweeps=0),
            tuple(layer.weight.shape),
        )
        for name, layer in layers.items()
    }
    image, positions = torch.rand(1, 3, 256, 256), network.pos_embed.flatten(1, 2)
    plain = run_graph(sam_vit.encoder(LayerSource(network, {}, {}), graph_ops.Products()), image, positions)
    torch.testing.assert_close(plain, network(image), rtol=1e-3, atol=1e-3)
    packed = run_graph(sam_vit.encoder(LayerSource(network, weights, {}), graph_ops.Products()), image, positions)
    for name, weight in weights.items():
        layers[name].weight.copy_(weight.dequantize())
    torch.testing.assert_close(packed, network(image), rtol=1e-3, atol=1e-3)


def test_integer_products_are_those_of_the_rounded_inputs():
    """With 8-bit inputs nothing but the inputs is rounded: the weights stay what their codes stand for."""
    if not available(Runtime.openvino_int8):
        pytest.skip("this processor cuts sums of bytes off")
    torch.manual_seed(5)
    weight, inputs = torch.randn(32, 64), torch.randn(200, 64).clamp(-3, 3)
    groups = QuantizationConfig(bits=4, group_size=16, zero_point="symmetric", scales="multiples")
    four, eight = (default_config("lite-medsam", bits, integers=True) for bits in (4, 8))
    for settings in (groups, four, eight):
        quantized = quantize_matrix(weight, inputs.T @ inputs, settings)
        assert integer_values(quantized) is not None
        layer = Layer(quantized, torch.randn(32), (-3.0, 3.0))
        from openvino import opset13 as op

        x = op.parameter([1, *inputs.shape], np.float32)
        graph = openvino.Model([op.result(graph_ops.Products(eight_bit_inputs=True).linear(x, layer))], [x])
        low, step = -3.0, 6 / 255
        rounded = ((inputs - low) / step).round() * step + low
        torch.testing.assert_close(
            run_graph(graph, inputs[None])[0], rounded @ quantized.dequantize().T + layer.bias, rtol=0, atol=2e-3
        )


@pytest.mark.parametrize("in_bytes", [False, True])
def test_positions_are_kept_small_and_given_whole(in_bytes):
    from pqcomq.backends.openvino_model import positions_of
    from pqcomq.models.registry import empty_model
    from pqcomq.quantization import position_embedding

    segmenter = empty_model("medsam", "random.pth", "0" * 64, 1)
    torch.nn.init.normal_(segmenter.image_encoder.pos_embed, generator=torch.Generator().manual_seed(4))
    own = segmenter.image_encoder.pos_embed.detach()
    kept = positions_of(segmenter, in_bytes=in_bytes)
    expected = position_embedding.widened(*position_embedding.in_bytes(own)) if in_bytes else own
    assert torch.equal(kept.widened(), expected.view(1, 4096, 768))
    assert kept.table.element_size() == (1 if in_bytes else 4)


def test_an_encoder_without_positions_takes_the_image_alone(lite_medsam):
    from pqcomq.backends.openvino_model import positions_of

    assert positions_of(lite_medsam, in_bytes=True) is None


@pytest.mark.slow
def test_many_slices_come_out_as_one_by_one_and_in_their_order(lite_medsam, prompts):
    from pqcomq.backends.streams import StreamedEncoder

    images = [lite_medsam.transforms.image(pixels) for pixels, _box in prompts[:3]]
    slow = on_runtime(lite_medsam, Runtime.openvino)
    found = StreamedEncoder(lite_medsam, Runtime.openvino).encode([*images, images[0]])
    assert torch.equal(found[0], found[3])
    for image, features in zip(images, found, strict=False):
        torch.testing.assert_close(features, slow.embed(image), rtol=1e-3, atol=1e-3)


def test_many_slices_leave_nothing_behind_and_a_failure_is_told(monkeypatch):
    from types import SimpleNamespace

    from pqcomq.backends import streams

    class Queue:
        """Answers each slice with its number, the last one first; keeps what it was given, as the library does."""

        def __init__(self):
            self.waiting, self.given, self.fails = [], [], False

        def start_async(self, inputs, userdata):
            self.waiting.insert(0, (SimpleNamespace(data=inputs[0] + 1), userdata))
            self.given.append(userdata)

        def wait_all(self):
            if self.fails:
                raise RuntimeError("Exception from src:\nbad allocation")
            for tensor, userdata in self.waiting:
                streams._keep(SimpleNamespace(get_output_tensor=lambda tensor=tensor: tensor), userdata)
            self.waiting = []

    encoder = streams.StreamedEncoder.__new__(streams.StreamedEncoder)
    encoder._queue, encoder._positions = Queue(), None
    images = [torch.full((1, 1), float(number)) for number in range(3)]
    encoder._queue.fails = True
    with pytest.raises(InputError, match=r"OpenVINO could not run the model \(bad allocation\)"):
        encoder.encode(images[2:])
    encoder._queue.fails = False
    assert [float(each) for each in encoder.encode(images)] == [1.0, 2.0, 3.0], "none of the call that failed"
    assert not any(found for found, _number in encoder._queue.given[1:])


def test_widened_weights_give_the_masks_of_packed_ones(quantized, lite_medsam, prompts):
    from pqcomq.backends import tiny_vit_graph
    from pqcomq.backends.layer_source import LayerSource

    packed, widened = (on_runtime(quantized, each) for each in (Runtime.openvino, Runtime.openvino_widened))
    assert widened.precision.endswith("OpenVINO FP32 widened")
    assert widened.execution.weights == "widened to FP32 when loaded"
    for pixels, box in prompts[:2]:
        assert dice(*(model.decode(model.encode(pixels), box)[0] for model in (packed, widened))) > 0.999
    source = LayerSource(quantized.segmenter.image_encoder, quantized.weights, {})
    graph = tiny_vit_graph.encoder(source, graph_ops.Products(least_packed=graph_ops.ALL_WIDENED))
    kinds = {op.get_output_element_type(0).to_string() for op in graph.get_ops() if op.get_type_name() == "Constant"}
    assert "u4" not in kinds
