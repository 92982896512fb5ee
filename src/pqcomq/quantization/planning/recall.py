"""A network's pass with one layer changed, taken up where that layer begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any

from torch import Tensor, nn


class Recall:
    """What the modules of a network gave in one pass.

    Whatever has ended before a layer begins gives the same in a pass in which only that layer is another, to the bit:
    it is not computed again.

    Args:
        network: on which the pass runs.
        run: the pass, once.
        layers: names of those that will be changed, one at a time.

    Attributes:
        result: what ``run`` gave.
    """

    def __init__(self, network: nn.Module, run: Callable[[], Tensor], layers: Iterable[str]) -> None:
        began: dict[str, int] = {}
        ended: dict[str, int] = {}
        outputs: dict[str, Any] = {}
        again: set[str] = set()
        clock = count()

        def begin(name: str) -> None:
            if name in began:
                again.add(name)  # what it gives depends on which time it is
            began.setdefault(name, next(clock))

        def end(name: str, output: object) -> None:
            ended[name], outputs[name] = next(clock), output

        with ExitStack() as hooks:
            for name, module in network.named_modules():
                enter = module.register_forward_pre_hook(lambda _module, _inputs, name=name: begin(name))
                leave = module.register_forward_hook(lambda _module, _inputs, out, name=name: end(name, out))
                hooks.callback(enter.remove)
                hooks.callback(leave.remove)
            self.result = run()
        self._before: dict[str, list[str]] = {}
        for layer in layers:
            known = {each for each in ended if each not in again and ended[each] < began.get(layer, 0)}
            self._before[layer] = [each for each in known if not any(parent in known for parent in _above(each))]
        needed = {each for known in self._before.values() for each in known}
        self._outputs = {each: outputs[each] for each in needed}

    @contextmanager
    def until(self, layer: str, network: nn.Module) -> Iterator[None]:
        """While open, what ended before ``layer`` began is recalled.

        Args:
            layer: one of those that were named.
            network: of the same structure and weights as the one that ran, in whichever thread this is.
        """
        modules = dict(network.named_modules())
        recalled = [(modules[each], self._outputs[each]) for each in self._before[layer]]
        try:
            for module, output in recalled:
                module.forward = lambda *_inputs, output=output, **_named: output  # of this one alone, not of its class
            yield
        finally:
            for module, _output in recalled:
                del module.forward


def _above(name: str) -> Iterator[str]:
    """The modules that a module lies in, by name."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name
