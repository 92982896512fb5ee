"""A promptable model in two steps: encode a slice once, then decode any number of prompts on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from torch import nn

from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import PromptKind, why_not
from pqcomq.models.execution import Execution
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.transforms import Points, PromptTensors, Shape, Transforms, prompt_tensors, scribbles_tensor


@dataclass(frozen=True, repr=False)
class Embedding:
    """What the image encoder made of one slice.

    Attributes:
        features: (1, 256, 64, 64) float32.
        shape: rows and columns of the slice in its own pixels.
    """

    features: torch.Tensor
    shape: Shape

    def __repr__(self) -> str:
        rows, columns = self.shape
        return f"Embedding(features {tuple(self.features.shape)} of a slice of {rows} × {columns})"


@dataclass(frozen=True, eq=False, repr=False)
class Segmenter:
    """A MedSAM-family model ready to run, in evaluation mode on the CPU.

    Attributes:
        key: the name it goes by on the command line and in files, e.g. ``"lite-medsam"``.
        title: the name shown to people.
        transforms: its pre- and post-processing.
        image_encoder: (1, 3, side, side) → (1, 256, 64, 64); batch norms folded.
        prompt_encoder: boxes (B, 1, 4), points or both, or scribbles → sparse and dense prompt embeddings.
        mask_decoder: embedding and prompts → logits (B, 1, 256, 256).
        checkpoint_name: file name of the weights, no folder.
        checkpoint_sha256: hash of that file.
        checkpoint_bytes: its size.
        licence: of the weights, as their authors state it, or that it is unknown.
        precision: of the encoder's weights, for people: ``"FP32"`` or e.g. ``"4-bit Permutation-COMQ"``.
        fingerprint: hash of the weights that run; with ``key``, ``execution`` and ``rounding`` the model's identity in
            caches.
        execution: what runs it.
        rounding: hash of the ranges over which layers' inputs are rounded to 8 bits, where the runtime does so.
    """

    key: str
    title: str
    transforms: Transforms
    image_encoder: nn.Module
    prompt_encoder: nn.Module
    mask_decoder: nn.Module
    checkpoint_name: str
    checkpoint_sha256: str
    checkpoint_bytes: int
    licence: str
    precision: str = "FP32"
    fingerprint: str = ""
    execution: Execution = field(default_factory=lambda: Execution.torch(quantized=False))
    rounding: str = ""

    @classmethod
    def of(
        cls,
        network: nn.Module,
        key: str,
        title: str,
        transforms: Transforms,
        checkpoint_name: str,
        checkpoint_sha256: str,
        checkpoint_bytes: int,
        licence: str,
    ) -> Self:
        """A full-precision model from a network with the three parts that all of the family have."""
        return cls(
            key=key,
            title=title,
            transforms=transforms,
            image_encoder=network.get_submodule("image_encoder"),
            prompt_encoder=network.get_submodule("prompt_encoder"),
            mask_decoder=network.get_submodule("mask_decoder"),
            checkpoint_name=checkpoint_name,
            checkpoint_sha256=checkpoint_sha256,
            checkpoint_bytes=checkpoint_bytes,
            licence=licence,
            fingerprint=checkpoint_sha256,
        )

    def __repr__(self) -> str:
        return f"Segmenter({self.title}, {self.precision}, {self.execution.setting})"

    def takes(self, kind: PromptKind) -> bool:
        """Whether its authors trained it for prompts of a kind."""
        return not why_not(self.key, kind)

    def check_prompts(self, kinds: Iterable[PromptKind]) -> None:
        """Refuse prompts for which the model was not trained: it would answer, and the answer would mean nothing.

        Args:
            kinds: of what is asked.

        Raises:
            InputError: it was trained for others; the sentence names the models that take these.
        """
        for kind in kinds:
            if reason := why_not(self.key, kind):
                raise InputError(reason)

    @property
    def any_prompt(self) -> PromptTensors:
        """A prompt of a kind that it takes, to try it with."""
        side = float(self.transforms.side)
        if self.takes("box"):
            return PromptTensors(torch.tensor([[[0.0, 0.0, side / 2, side / 2]]]))
        return PromptTensors(scribbles=scribbles_tensor(np.eye(8, dtype=bool)[None]))

    def parts(self) -> dict[str, nn.Module]:
        """The three networks by the names that their checkpoints use."""
        return {
            "image_encoder": self.image_encoder,
            "prompt_encoder": self.prompt_encoder,
            "mask_decoder": self.mask_decoder,
        }

    @torch.inference_mode()
    def embed(self, image: torch.Tensor) -> torch.Tensor:
        """Run the image encoder on prepared input: (N, 3, side, side) → (N, 256, 64, 64)."""
        features: torch.Tensor = self.image_encoder(image)
        return features

    def encode(self, pixels: np.ndarray) -> Embedding:
        """Embed an 8-bit slice (H, W)."""
        return Embedding(self.embed(self.transforms.image(pixels)), pixels.shape)

    @torch.inference_mode()
    def logits(
        self,
        features: torch.Tensor,
        boxes: torch.Tensor | None = None,
        points: Points | None = None,
        scribbles: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run prompt encoder and mask decoder; boxes, points or both are given, or else scribbles.

        Args:
            features: (1, 256, 64, 64) of one slice.
            boxes: (B, 1, 4) in model pixels, or None.
            points: places (B, N, 2) in model pixels and their labels (B, N), or None.
            scribbles: (B, 1, 256, 256), or None.

        Returns:
            (B, 1, 256, 256) logits.

        Raises:
            InputError: the model was not trained for prompts of this kind.
        """
        given: dict[PromptKind, object] = {"box": boxes, "points": points, "scribble": scribbles}
        self.check_prompts(kind for kind, part in given.items() if part is not None)
        sparse, dense = self.prompt_encoder(points=points, boxes=boxes, masks=scribbles)
        low_resolution: torch.Tensor
        low_resolution, _quality = self.mask_decoder(
            image_embeddings=features,
            image_pe=self.prompt_encoder.get_dense_pe(),  # type: ignore[operator]
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=False,
        )
        return low_resolution

    def decode(self, embedding: Embedding, prompt: np.ndarray | SlicePrompt) -> np.ndarray:
        """Segment what each box, or each set of points, asks for.

        Args:
            embedding: of the slice.
            prompt: boxes (B, 4) or (4,), x0 y0 x1 y1 in slice pixels, or a prompt of any kind.

        Returns:
            (B, H, W) bool.
        """
        asked = prompt_tensors(self.transforms, SlicePrompt.of(prompt), embedding.shape)
        logits = self.logits(embedding.features, *asked)
        return self.transforms.masks(logits, embedding.shape).numpy()
