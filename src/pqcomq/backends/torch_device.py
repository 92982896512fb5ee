"""A model computed by torch on another device than the processor, with the same methods as the model itself.

Inputs and outputs are float32 tensors in main memory, as for every other runtime; what lies between stays on the
device. Nothing is computed in a lower precision than the runtime's name says: TensorFloat-32, which torch takes for
convolutions by itself, is off. A pass of encoder and decoder is tried first: a device whose memory is short gives way
to the processor before anything was computed, so that no result mixes two.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial

import torch
from torch import Tensor, nn

from pqcomq.backends.runtime import Runtime
from pqcomq.errors import InputError
from pqcomq.models.execution import Execution
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.small_encoder import SIDE, small_encoder
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight
from pqcomq.quantization.layer_names import layers_of, with_weights_apart
from pqcomq.quantization.quantized_model import QuantizedModel

_MOST_WRONG = {torch.float32: 0.001, torch.float16: 0.02}
"""Error of a small network's output, relative to its size: rounding."""


def _ran_out(problem: BaseException) -> bool:
    """Whether memory ran out; Apple's device says so by a plain ``RuntimeError``."""
    return isinstance(problem, (torch.OutOfMemoryError, MemoryError)) or "out of memory" in str(problem)


def device_obstacle(kind: str) -> str | None:
    """Why a kind of device cannot be used here, in one sentence without its full stop; None if it can.

    It is found out once in a process, unless memory ran out: another time there may be more.

    Args:
        kind: ``"cuda"`` or ``"mps"``.
    """
    try:
        return _lasting_obstacle(kind)
    except (RuntimeError, MemoryError, InputError) as problem:
        return _no_device(kind, problem)


@cache
def _lasting_obstacle(kind: str) -> str | None:
    """The same.

    Raises:
        RuntimeError, MemoryError, InputError: memory ran out.
    """
    if kind == "cuda" and torch.version.cuda is None and torch.version.hip is None:
        return "this torch was built without CUDA"
    if kind == "mps" and not torch.backends.mps.is_built():
        return "this torch was built without MPS, which Apple's processors have"
    try:
        torch.zeros(1, device=kind).add_(1).cpu()
        return _wrong(torch.device(kind), torch.float32)
    except (RuntimeError, MemoryError, AssertionError, InputError) as problem:
        # No device, a driver that is too old for this torch, or a library that lacks an operation.
        if _ran_out(problem.__cause__ or problem):
            raise
        return _no_device(kind, problem)


def _no_device(kind: str, problem: Exception) -> str:
    return f"torch finds no {kind} device that works ({_first_sentence(problem)})"


def _first_sentence(problem: Exception) -> str:
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return lines[0].split(". ")[0].rstrip(".")


@torch.inference_mode()
def _wrong(device: torch.device, dtype: torch.dtype) -> str | None:
    """Whether a small network comes out otherwise on a device, in words; None if it does not."""
    error = small_network_error(device, dtype)
    if error <= _MOST_WRONG[dtype]:
        return None
    return f"a small network's output differs from the processor's by {error:.1%} on {device.type}"


def small_network_error(device: torch.device, dtype: torch.dtype) -> float:
    """Root mean square of what a small network's output differs by from the processor's, over that of the output."""
    network = small_encoder()
    image = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    expected = network(image)
    found = _DeviceEncoder(network.to(device, dtype), device, dtype)(image)
    return float((found - expected).square().mean().sqrt() / expected.square().mean().sqrt())


def device_name(device: torch.device) -> str:
    """For people."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"mps": "Apple GPU"}.get(device.type, device.type)


def on_device(model: Segmenter | QuantizedModel, runtime: Runtime, device: torch.device) -> Segmenter:
    """The model, computed on a device.

    Args:
        model: full precision or quantized, as loaded.
        runtime: one of torch's with a device; says in what precision, and whether weights stay packed.
        device: where; ``runtime.device`` but for tests.

    Returns:
        A model of its own. Where the device's memory is short, the model in torch on the processor, in float32; its
        ``execution`` says why.
    """
    segmenter = model.segmenter if isinstance(model, QuantizedModel) else model
    weights = model.packed_weights if isinstance(model, QuantizedModel) and runtime.packs else {}
    dtype = torch.float16 if runtime.halves else torch.float32
    try:
        with _memory_told(device):
            made = _moved(segmenter, weights, device, dtype)
            side = segmenter.transforms.side
            made.logits(made.embed(torch.zeros(1, 3, side, side)), *segmenter.any_prompt)
    except InputError:
        why = f"The memory of {device.type} is too small for the model, so torch computes on the processor in FP32."
        return replace(segmenter, execution=replace(segmenter.execution, why=why))
    floats = "float16" if runtime.halves else "float32"
    quantized = isinstance(model, QuantizedModel)
    held = f"packed, widened to {floats} for each layer" if weights else f"widened to {floats}" if quantized else floats
    where = device.type.upper()
    execution = Execution(
        runtime=f"torch/{where} {torch.__version__} ({device_name(device)})",
        weights=held,
        activations={"float32": "FP32", "float16": "FP16"}[floats],
        simulated=quantized,
        threads=torch.get_num_threads(),
        cpu_features=segmenter.execution.cpu_features,
        setting=runtime.value,
    )
    # In half precision full precision is no FP32 any more, and is not called so.
    title = "FP16" if segmenter.precision == "FP32" and runtime.halves else segmenter.precision
    title = f"{title}, torch {where}" + (" FP16" if quantized and runtime.halves else "")
    return replace(made, precision=title, execution=execution)


def _moved(
    segmenter: Segmenter, weights: Mapping[str, QuantizedWeight], device: torch.device, dtype: torch.dtype
) -> Segmenter:
    apart = with_weights_apart(segmenter)
    layers = layers_of(apart.image_encoder, apart.mask_decoder)
    for name, weight in weights.items():
        _keep_packed(layers[name], weight, device, dtype)
    return replace(
        apart,
        image_encoder=_DeviceEncoder(apart.image_encoder.to(device, dtype), device, dtype),
        prompt_encoder=_DevicePrompts(copy.deepcopy(segmenter.prompt_encoder).to(device), device),
        mask_decoder=_DeviceDecoder(apart.mask_decoder.to(device, dtype), device, dtype),
    )


def _keep_packed(layer: QuantizableLayer, weight: QuantizedWeight, device: torch.device, dtype: torch.dtype) -> None:
    """Have a layer hold its codes, and its weights only while it runs."""
    there = replace(
        weight,
        packed=weight.packed.to(device),
        scale=weight.scale.to(device),
        zero_point=weight.zero_point.to(device),
        permutation=None if weight.permutation is None else weight.permutation.to(device),
    )
    del layer._parameters["weight"]
    setattr(layer, "weight", None)  # noqa: B010 (no parameter any more)

    def widen(_layer: nn.Module, _inputs: object) -> None:
        setattr(layer, "weight", there.dequantize().to(dtype))  # noqa: B010

    def let_go(_layer: nn.Module, _inputs: object, _output: object) -> None:
        setattr(layer, "weight", None)  # noqa: B010

    layer.register_forward_pre_hook(widen)
    layer.register_forward_hook(let_go, always_call=True)


@contextmanager
def _memory_told(device: torch.device) -> Iterator[None]:
    """Tell in one sentence that a device's memory ran out."""
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not _ran_out(problem):
            raise
        raise InputError(
            f"The memory of {device.type} ran out: close other programs that use it, or choose --device cpu."
        ) from problem


_one_at_a_time = threading.Lock()
"""A pass, whatever the model: packed layers hold their widened weights meanwhile, and the library's choices belong to
the process, so that a pass that ends would give them back to another one under way."""


class _OnDevice(nn.Module):
    """A network on a device, for inputs and outputs in main memory."""

    def __init__(self, network: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self._network, self._device, self._dtype = network, device, dtype
        self._there = partial(torch.Tensor.to, device=device, dtype=dtype)

    @contextmanager
    def _pass(self) -> Iterator[None]:
        # The library's own choice for convolutions is TensorFloat-32, which keeps ten bits of a number.
        with _one_at_a_time, _memory_told(self._device), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield


class _DeviceEncoder(_OnDevice):
    """(N, 3, side, side) → (N, 256, 64, 64)."""

    def forward(self, image: Tensor) -> Tensor:
        """Encode."""
        with self._pass():
            features: Tensor = self._network(self._there(image))
            return features.float().cpu()


class _DeviceDecoder(_OnDevice):
    """SAM's mask decoder; prompts are on the device already."""

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, Tensor]:
        """Decode: logits (B, 1, 256, 256) and qualities."""
        given = (image_embeddings, image_pe, sparse_prompt_embeddings, dense_prompt_embeddings)
        names = ("image_embeddings", "image_pe", "sparse_prompt_embeddings", "dense_prompt_embeddings")
        with self._pass():
            there = {name: self._there(each) for name, each in zip(names, given, strict=True)}
            masks, quality = self._network(**there, multimask_output=multimask_output)
            return masks.float().cpu(), quality.float().cpu()


class _DevicePrompts(nn.Module):
    """SAM's prompt encoder, in float32; its outputs stay on the device."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        super().__init__()
        self._network, self._device = network, device

    def forward(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Sparse and dense embeddings of boxes (B, 1, 4), of points, (B, N, 2) with labels (B, N), or of scribbles."""
        with _memory_told(self._device):
            places = None if points is None else tuple(each.to(self._device) for each in points)
            corners, drawn = (None if each is None else each.to(self._device) for each in (boxes, masks))
            found: tuple[Tensor, Tensor] = self._network(points=places, boxes=corners, masks=drawn)
        return found

    def get_dense_pe(self) -> Tensor:
        """The image's positions."""
        positions: Tensor = self._network.get_dense_pe()  # type: ignore[operator]
        return positions
