"""Quantize any network with linear and dense convolution layers, by what it sees on calibration inputs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.calibration.passes import Pass
from pqcomq.quantization.calibration.sequential_forward import PassesDivergedError
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.layerwise import LayerwiseRun
from pqcomq.quantization.module_layers import check_network, copy_of, layers_and_reasons
from pqcomq.quantization.planning.sensitivity import relative_difference, weights_in_place
from pqcomq.quantization.quantized_module import QuantizedModule
from pqcomq.quantization.workers import Workers


def quantize_module(
    module: nn.Module, inputs: Iterable[Any], settings: QuantizationConfig
) -> Generator[LayerEvent, None, QuantizedModule]:
    """Quantize a copy of a network; the network itself is left as it is.

    It runs in evaluation mode and without gradients. Batch norms are not folded into layers.

    Args:
        module: on the CPU, in float32.
        inputs: finitely many calibration inputs: a tensor for one argument, a tuple or list for several, or a mapping
            of arguments by name. With settings that fit layers to the quantized model's inputs, all of them must take
            the same way through the network, and the activations of all are in memory at once.
        settings: how; ``decoder`` and ``tones`` belong to the MedSAM family and must be as they are left out. A budget
            takes one pass for every layer.

    Yields:
        A :class:`.LayerEvent` after every calibration input and every layer.

    Returns:
        The quantized network (a generator's return value).

    Raises:
        InputError: the network cannot be copied, there is no layer to quantize, no calibration input, one that the
            network does not take, or one that is not finite; inputs take different ways through the network; or as
            :func:`.quantize_model`.
    """
    if settings.decoder or settings.tones != "own":
        raise InputError("decoder and tones are settings of the MedSAM family; leave them out for another network.")
    check_network(module)
    target = _ModuleTarget(copy_of(module), [_Call.of(each) for each in inputs])
    run = LayerwiseRun(target, settings)
    try:
        results = yield from run.run()
    except PassesDivergedError as problem:
        raise InputError(f"{problem}; settings with inputs='full' allow that.") from problem
    return QuantizedModule.of(target.copied(), results, settings)


@dataclass(frozen=True)
class _Call:
    """The arguments of one forward pass."""

    positional: tuple[Any, ...]
    named: Mapping[str, Any]

    @classmethod
    def of(cls, given: object) -> _Call:
        """One calibration input.

        Raises:
            InputError: it is neither a tensor, a tuple, a list nor a mapping, or holds values that are not finite.
        """
        if isinstance(given, Tensor):
            call = cls((given,), {})
        elif isinstance(given, Mapping):
            call = cls((), {str(name): value for name, value in given.items()})
        elif isinstance(given, tuple | list):
            call = cls(tuple(given), {})
        else:
            raise InputError(
                f"A calibration input is a {type(given).__name__}; give a tensor, a tuple of arguments or a mapping of "
                "arguments by name."
            )
        for each in tensors_in([*call.positional, *call.named.values()]):
            if each.is_floating_point() and not bool(torch.isfinite(each).all()):
                raise InputError("A calibration input holds values that are not finite.")
        return call

    def through(self, module: nn.Module) -> object:
        """What the network answers."""
        return module(*self.positional, **self.named)


class _ModuleTarget:
    """Calibration inputs through a network.

    Raises:
        InputError: there is none, or the network does not take the first of them.
    """

    input_title = "input"
    side_by_side = False  # whatever the network keeps of a pass, another one would find

    def __init__(self, full: nn.Module, calls: list[_Call]) -> None:
        if not calls:
            raise InputError("Calibration needs at least one input.")
        self.full, self._calls = full, calls
        try:
            self._output(full)
        except Exception as problem:
            first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
            raise InputError(
                f"{type(full).__name__} does not run on the first calibration input: {first_line}"
            ) from problem

    def __len__(self) -> int:
        return len(self._calls)

    def layers(self, model: nn.Module) -> dict[str, QuantizableLayer]:
        return layers_and_reasons(model)[0]

    def copied(self) -> nn.Module:
        return copy_of(self.full)

    def passes(self, model: nn.Module) -> list[Pass]:
        return [partial(_run, call, model) for call in self._calls]

    def full_passes(self) -> list[Pass]:
        return self.passes(self.full)

    def sees_more(self, name: str) -> bool:
        return False

    @torch.inference_mode()
    def damage(self, trials: Mapping[str, Tensor], workers: Workers) -> Iterator[tuple[str, float]]:
        """The relative error of the output on the first input, for each layer's trial weight alone."""
        model = self.copied()
        layers, wanted = self.layers(model), self._output(model)
        if wanted.numel() == 0:
            raise InputError(
                f"{type(model).__name__} gives no tensor to judge layers by; leave the budget out of the settings."
            )
        for name, trial in trials.items():
            with weights_in_place(layers, {name: trial}):
                reached = self._output(model)
            yield name, relative_difference(wanted, reached)

    @torch.inference_mode()
    def _output(self, model: nn.Module) -> Tensor:
        """All floating-point numbers that the network answers to the first input, in one row."""
        found = [each for each in tensors_in(self._calls[0].through(model)) if each.is_floating_point()]
        return torch.cat([each.float().flatten() for each in found]) if found else torch.zeros(0)


def _run(call: _Call, model: nn.Module) -> None:
    """One pass; a pass that halts is already in inference mode."""
    with torch.inference_mode():
        call.through(model)


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and mappings, in their order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from tensors_in(each)
