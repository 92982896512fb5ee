"""Compiling graphs, and the networks of a compiled model, which are called as those in torch are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pqcomq.backends.runtime import Arithmetic, Runtime
from pqcomq.errors import InputError
from pqcomq.models.transforms import Points
from pqcomq.quantization import position_embedding


def request(core: object, graph: object, arithmetic: Arithmetic) -> object:
    """Compile for one answer at a time, with all threads."""
    return compiled(core, graph, arithmetic).create_infer_request()  # type: ignore[attr-defined]


def compiled(core: object, graph: object, arithmetic: Arithmetic, streams: int = 1) -> object:
    """Compile with as many threads as torch has and nothing left to the library's choice.

    Args:
        core: OpenVINO's ``Core``.
        graph: to compile.
        arithmetic: pinned.
        streams: answers that are worked out side by side; they share the threads.

    Raises:
        InputError: the library fails.
    """
    options = {
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # pinned threads starve when the window draws on the same core
        "INFERENCE_PRECISION_HINT": arithmetic.floats,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # otherwise activations become 8-bit unasked
        "KV_CACHE_PRECISION": "f32",
    }
    try:
        return core.compile_model(graph, "CPU", options)  # type: ignore[attr-defined]
    except (RuntimeError, MemoryError) as problem:
        raise InputError(
            f"OpenVINO could not compile the model for this processor ({last_line(problem)}); "
            f"choose runtime {Runtime.torch.value}"
        ) from problem


def answer(request: object, inputs: list[Tensor]) -> Tensor:
    """Run a compiled graph once.

    Raises:
        InputError: the library fails, for example because memory runs out.
    """
    with failure_told():
        request.infer([each.numpy() for each in inputs], share_inputs=True)  # type: ignore[attr-defined]
        # The request's own buffer is written again by the next inputs.
        return torch.from_numpy(request.get_output_tensor().data.copy())  # type: ignore[attr-defined]


@contextmanager
def failure_told() -> Iterator[None]:
    """Tell in one sentence that the library failed.

    Raises:
        InputError: it did.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as problem:
        raise InputError(
            f"OpenVINO could not run the model ({last_line(problem)}); there may be too little memory: close other "
            f"programs, or choose runtime {Runtime.torch.value}"
        ) from problem


def last_line(problem: Exception) -> str:
    """The last line of a library's message, which states the error; those before it name its source files."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[-1]


@dataclass(frozen=True, eq=False)
class Positions:
    """A position embedding, widened only while a slice is encoded.

    Attributes:
        table: (1, L, C), float32, or signed bytes with scales.
        scale: (1, L, 1) float16, None for float32.
    """

    table: Tensor
    scale: Tensor | None

    def widened(self) -> Tensor:
        """(1, L, C) float32."""
        return self.table if self.scale is None else position_embedding.widened(self.table, self.scale)


class CompiledEncoder(nn.Module):
    """(N, 3, side, side) → (N, 256, 64, 64), slice by slice."""

    def __init__(self, request: object, positions: Positions | None = None) -> None:
        super().__init__()
        self._request, self._turn = request, threading.Lock()
        self._positions = positions

    def forward(self, image: Tensor) -> Tensor:
        """Encode each slice."""
        return torch.cat([self._one(each[None]) for each in image])

    def _one(self, image: Tensor) -> Tensor:
        more = [] if self._positions is None else [self._positions.widened().contiguous()]
        with self._turn:  # an inference request serves one thread at a time
            return answer(self._request, [image.contiguous(), *more])


class CompiledDecoder(nn.Module):
    """SAM's mask decoder for one mask a prompt; takes what :class:`MaskDecoder` takes.

    Args:
        request: of the compiled graph.
        tokens: (5, C), the decoder's own.
        is_drawn: the prompts are scribbles, each of which adds something else to the features.
    """

    def __init__(self, request: object, tokens: Tensor, *, is_drawn: bool = False) -> None:
        super().__init__()
        self._request, self._turn = request, threading.Lock()
        self._tokens, self._is_drawn = tokens, is_drawn

    def forward(
        self,
        image_embeddings: Tensor,
        image_pe: Tensor,
        sparse_prompt_embeddings: Tensor,
        dense_prompt_embeddings: Tensor,
        multimask_output: bool,
    ) -> tuple[Tensor, None]:
        """Logits (B, 1, 256, 256). The positional encoding and what no mask adds are constants of the graph."""
        own = self._tokens.expand(len(sparse_prompt_embeddings), -1, -1)
        tokens = torch.cat([own, sparse_prompt_embeddings], dim=1)  # (B, N, C)
        with self._turn:
            if not self._is_drawn:
                return answer(self._request, [image_embeddings.contiguous(), tokens]), None
            drawn = [(image_embeddings + each).contiguous() for each in dense_prompt_embeddings]  # (1, C, h, w) each
            found = [
                answer(self._request, [features, asked[None].contiguous()])
                for features, asked in zip(drawn, tokens, strict=True)
            ]
            return torch.cat(found), None


class KeptPositions(nn.Module):
    """The prompt encoder, its positional encoding of the image computed once instead of for every box."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self._encoder = encoder
        with torch.no_grad():
            self.position: Tensor = encoder.get_dense_pe().detach()  # type: ignore[operator]

    def forward(self, points: Points | None, boxes: Tensor | None, masks: Tensor | None) -> tuple[Tensor, Tensor]:
        """Sparse (B, N, C) and dense (B, C, h, w) embeddings."""
        sparse, dense = self._encoder(points=points, boxes=boxes, masks=masks)
        return sparse, dense

    def get_dense_pe(self) -> Tensor:
        """(1, C, h, w)."""
        return self.position
