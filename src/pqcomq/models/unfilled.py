"""Networks whose weights a file will fill: torch draws no random ones for them first.

Drawing a number for each of ViT-H's 640 million weights takes seconds, and every one of them is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

_DRAWING = frozenset(
    {
        nn.init.uniform_,
        nn.init.normal_,
        nn.init.trunc_normal_,
        nn.init.kaiming_uniform_,
        nn.init.kaiming_normal_,
        Tensor.uniform_,
        Tensor.normal_,
        Tensor.erfinv_,  # of which truncated normal distributions are made
    }
)


class unfilled(TorchFunctionMode):  # noqa: N801 (used as a context, like torch's no_grad)
    """Context in which a new network's weights hold whatever lay in memory, in place of random numbers.

    What is not drawn is made as ever: constants, tables of indices, buffers. Other threads are not concerned.

    Example:
        >>> import torch
        >>> from pqcomq.models.unfilled import unfilled
        >>> state = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
        >>> with unfilled():
        ...     layer = torch.nn.Linear(3, 2)
        >>> layer.load_state_dict(state)
        <All keys matched successfully>
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 (what the function returns)
        """Leave a tensor as it is where it would be drawn anew."""
        named = dict(kwargs or {})
        if func in _DRAWING:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
