"""Forward passes through two models that halt together at each layer.

All calibration slices go through the model in full precision and through the one that becomes quantized, each pass in
a greenlet of its own: it runs until it reaches a layer, shows what the layer is about to see, and goes on once that
layer has been quantized in between. So every pass is run exactly once, encoder and decoder alike, whatever the model
looks like inside, and no more activations are in memory than the halted passes hold.

Torch's modes (autocast, inference mode and the like) belong to a thread, and all passes run in one. What a pass has
opened inside the model is therefore put away whenever it halts, and taken up again when it goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from contextvars import copy_context
from weakref import WeakSet

import torch
from greenlet import getcurrent, greenlet
from torch import Tensor, nn

from pqcomq.quantization.algorithm.gram import QuantizableLayer, input_of, spread_rows, tokens
from pqcomq.quantization.algorithm.paired_gram import PairedGram
from pqcomq.quantization.calibration.passes import Pass
from pqcomq.quantization.calibration.torch_modes import torch_modes_kept


class _Left(threading.local):
    """Halted passes of this thread whose iterator was dropped in another, where they cannot be ended.

    Greenlet would end them at any switch of the thread once nobody held them, and leave their modes open there.
    """

    def __init__(self) -> None:
        self.passes: list[greenlet] = []


_left = _Left()

_one_at_a_time = threading.Lock()
"""Held while hooks are put on and taken off: torch counts them without one."""


class PassesDivergedError(RuntimeError):
    """The passes took different ways through the models, so that they cannot halt together."""


class _Halting:
    """Makes one model's layers hand what they see to whoever runs a pass, the first time that the pass reaches them.

    Args:
        layers: of the model.
        passes: others go through the same layers unhalted.
    """

    def __init__(self, layers: Mapping[str, QuantizableLayer], passes: Iterable[greenlet]) -> None:
        self._passes = WeakSet(passes)
        with _one_at_a_time:
            self._handles = [self._listen(name, layer) for name, layer in layers.items()]

    def _listen(self, name: str, layer: QuantizableLayer) -> torch.utils.hooks.RemovableHandle:
        # A halted frame must not hold its own greenlet: the garbage collector does not see through such a cycle.
        reached: WeakSet[greenlet] = WeakSet()

        def halt(_layer: nn.Module, arguments: tuple[Tensor, ...], named: dict[str, Tensor] | None = None) -> None:
            runner = getcurrent().parent
            if runner is not None and getcurrent() in self._passes and getcurrent() not in reached:
                reached.add(getcurrent())
                # Autocast hands on half precision. A copy: rows spread over a whole image would keep all of it, and a
                # halted pass what it hands over, were it not taken out of the list.
                handed = [spread_rows(tokens(layer, input_of(arguments, named).detach().float())).contiguous()]
                with torch_modes_kept():
                    runner.switch(name, handed)

        return layer.register_forward_pre_hook(halt, with_kwargs=True)

    def end(self) -> None:
        with _one_at_a_time:
            for handle in self._handles:
                handle.remove()


class SequentialForward(Iterator[tuple[str, PairedGram]]):
    """Gives the inputs of one layer after the other, each as its predecessors' quantization has left them.

    Iterating yields layer name and grams, in the order in which the layers run. The caller puts the layer's quantized
    weight into the low model before asking for the next. A layer that a pass reaches several times counts with what it
    sees first.

    The halted passes live in the thread that asked for the first layer, and no other can let them go on or end them;
    in another, asking and closing raise a RuntimeError and change nothing. The passes of an iterator that is dropped
    there without being closed end when their own thread asks the next iterator for its first layer; if that thread
    has ended they cannot be ended at all and keep their memory, so close the iterator where it was begun.

    Args:
        full: runs each slice through the model in full precision.
        low: runs the same slices, in the same order, through a copy whose layers become quantized meanwhile.
        full_layers: name → layer of the one.
        low_layers: name → layer of the other.
    """

    def __init__(
        self,
        full: Sequence[Pass],
        low: Sequence[Pass],
        full_layers: Mapping[str, QuantizableLayer],
        low_layers: Mapping[str, QuantizableLayer],
    ) -> None:
        self._ahead = _Ahead()
        self._steps = _steps(full, low, full_layers, low_layers, self._ahead)
        self._thread: greenlet | None = None

    def __next__(self) -> tuple[str, PairedGram]:
        if self._thread is None:
            self._thread = _this_thread()
        self._check_thread()
        with torch.inference_mode():
            return next(self._steps)

    def run_ahead(self) -> None:
        """Let the passes in full precision go on to their next layer now: they do not wait for the one before."""
        self._check_thread()
        with torch.inference_mode():
            self._ahead.run()

    def close(self) -> None:
        """End the halted passes and take the hooks off both models.

        Raises:
            RuntimeError: called in another thread than the one that asked for the first layer.
        """
        if self._thread is not None:
            self._check_thread()
        self._steps.close()

    def _check_thread(self) -> None:
        if self._thread is not _this_thread():
            raise RuntimeError(
                "the halted forward passes belong to another thread; continue or close them in the thread that asked "
                "for the first layer"
            )


def _steps(
    full: Sequence[Pass],
    low: Sequence[Pass],
    full_layers: Mapping[str, QuantizableLayer],
    low_layers: Mapping[str, QuantizableLayer],
    ahead: _Ahead,
) -> Generator[tuple[str, PairedGram], None, None]:
    """What :class:`SequentialForward` goes through, for whichever thread begins it."""
    here, left = _this_thread(), _left.passes
    while left:
        _end(left.pop(), here, left)
    pairs = [(_pass(wanted), _pass(other)) for wanted, other in zip(full, low, strict=True)]
    with ExitStack() as at_the_end:
        for pair in pairs:
            for each in pair:
                at_the_end.callback(_end, each, here, left)
        # Ended first: nothing halts a pass that is on its way out.
        for layers in (full_layers, low_layers):
            at_the_end.callback(_Halting(layers, [each for pair in pairs for each in pair]).end)
        at_the_end.callback(ahead.of, [])
        ahead.of([wanted for wanted, _ in pairs])
        while True:
            grams: PairedGram | None = None
            name = ""
            for pair in pairs:
                # Each pair's rows are let go before the next pair moves on.
                halts = [ahead.reached(pair[0]), _run_on(pair[1])]
                ended = [each.dead for each in pair]
                if any(ended) and not all(ended):
                    raise PassesDivergedError("one of the two models reached a layer that the other did not")
                if all(ended):
                    continue
                (reached, wanted_rows), (low_name, low_rows) = halts
                if not reached == low_name == (name or reached):
                    other = low_name if low_name != reached else name
                    raise PassesDivergedError(f"calibration passes reached {reached!r} and {other!r} at the same time")
                name = reached
                grams = grams or PairedGram.empty(wanted_rows.shape[1])
                grams.add(low_rows, wanted_rows)
            if grams is None:
                return
            if any(each.dead for pair in pairs for each in pair):
                raise PassesDivergedError("some calibration passes ended before others")
            yield name, grams


class _Ahead:
    """Passes that may go on to their next halt before they are asked where they are."""

    def __init__(self) -> None:
        self._passes: list[greenlet] = []
        self._halts: dict[greenlet, tuple[str, Tensor]] = {}
        self._failed: BaseException | None = None

    def of(self, passes: list[greenlet]) -> None:
        """Let these be the passes, none of which has gone on by itself."""
        self._passes = passes
        self._halts.clear()

    def run(self) -> None:
        """Let all go on that have not yet. What goes wrong meanwhile is told when they are asked for."""
        for each in self._passes:
            if self._failed is None and not each.dead and each not in self._halts:
                try:
                    self._halts[each] = _run_on(each)
                except BaseException as problem:
                    self._failed = problem

    def reached(self, halted: greenlet) -> tuple[str, Tensor]:
        """Where a pass is, which goes on only if it has not yet."""
        if self._failed is not None:
            raise self._failed
        return self._halts.pop(halted) if halted in self._halts else _run_on(halted)


def _this_thread() -> greenlet:
    """The running thread's own greenlet, which stands for it: threads' numbers are given again, this is not."""
    here = getcurrent()
    while here.parent is not None:
        here = here.parent
    return here


def _pass(run: Pass) -> greenlet:
    """A pass that has not begun, in the same context variables as whoever makes it."""
    made = greenlet(run)
    made.gr_context = copy_context()
    return made


def _run_on(halted: greenlet) -> tuple[str, Tensor]:
    """Let a pass go on until it halts again: the layer that it has reached, and what that is about to see (N, m)."""
    with torch_modes_kept():
        halt: tuple[str, list[Tensor]] = halted.switch()
    if halted.dead:
        return "", torch.empty(0)
    name, handed = halt
    return name, handed.pop()


def _end(halted: greenlet, thread: greenlet, left: list[greenlet]) -> None:
    """Have a pass of this thread go no further; in another, keep it among those left for it to end."""
    if thread is not _this_thread():
        left.append(halted)
        return
    with torch_modes_kept():
        halted.throw()
