"""Pre- and post-processing of a slice: each model's own, exactly as its authors do it.

Source: the inference scripts of bowang-lab/MedSAM, ``MedSAM_Inference.py`` (branch main) for SAM ViT-B and
``inference_3D.py`` / ``CVPR24_LiteMedSAM_infer.py`` (branch LiteMedSAM) for TinyViT; for SAM and MobileSAM the class
``SamPredictor`` of segment-anything.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
from skimage.transform import resize
from torch.nn import functional as F

from pqcomq.models.slice_prompt import SlicePrompt

Shape = tuple[int, int]
"""Rows and columns of a slice in its own pixels."""
Points = tuple[torch.Tensor, torch.Tensor]
"""What the prompt encoder takes for points: places (B, N, 2), x y in model pixels, and labels (B, N), 1 or 0."""

_SCRIBBLE_SIDE = 256
"""Rows and columns of what SAM's prompt encoder takes for a mask, four times those of its embedding."""


class PromptTensors(NamedTuple):
    """Prompts as the prompt encoder takes them; None for what is not there.

    Attributes:
        boxes: (B, 1, 4), x0 y0 x1 y1 in model pixels.
        points: places and labels.
        scribbles: (B, 1, 256, 256), 1 where something was drawn, else 0.
    """

    boxes: torch.Tensor | None = None
    points: Points | None = None
    scribbles: torch.Tensor | None = None

    def some(self, first: int, after: int) -> PromptTensors:
        """Those from one number up to another, which is left out."""
        chosen = slice(first, after)
        return PromptTensors(
            None if self.boxes is None else self.boxes[chosen],
            None if self.points is None else (self.points[0][chosen], self.points[1][chosen]),
            None if self.scribbles is None else self.scribbles[chosen],
        )


def _longest_side(side: int) -> Any:  # noqa: ANN401 (segment_anything comes without types)
    # Imported when a slice is encoded: it brings torchvision along, which takes a second and looks for triton.
    from segment_anything.utils.transforms import ResizeLongestSide

    return ResizeLongestSide(side)


class Transforms(Protocol):
    """Coordinates and intensities between a slice and a model's square input."""

    side: int
    """Rows and columns of the model's input."""
    margin: int
    """Pixels of the model's input by which a mask's tight box grows on its way to the next slice."""

    def image(self, pixels: np.ndarray) -> torch.Tensor:
        """An 8-bit slice (H, W) as the model's input (1, 3, side, side), float32, normalized as its authors do."""

    def scale(self, shape: Shape) -> np.ndarray:
        """Model pixels per slice pixel, for x y x y: (4,) float64."""

    def masks(self, logits: torch.Tensor, shape: Shape) -> torch.Tensor:
        """Low-resolution logits (B, 1, 256, 256) as boolean masks (B, H, W)."""


def boxes_tensor(transforms: Transforms, boxes: np.ndarray, shape: Shape) -> torch.Tensor:
    """Boxes (B, 4), x0 y0 x1 y1 in slice pixels, as the prompt encoder's input (B, 1, 4) in model pixels."""
    scaled = np.asarray(boxes, dtype=np.float64).reshape(-1, 4) * transforms.scale(shape)
    return torch.from_numpy(scaled.astype(np.float32))[:, None, :]


def scribbles_tensor(scribbles: np.ndarray) -> torch.Tensor:
    """Scribbles (B, H, W) as the prompt encoder's input (B, 1, 256, 256), as LiteMedSAM's authors bring them there.

    Source: ``CVPR24_LiteMedSAM_infer_scribble.py`` of bowang-lab/MedSAM (branch LiteMedSAMScribble): longest side to
    256 by area interpolation of 8-bit zeros and ones, what is not zero then, zeros to the right and below. Theirs loses
    a stroke of which no pixel is left by half; here every pixel that such a stroke touches is taken.

    Args:
        scribbles: (B, H, W) bool, in slice pixels.
    """
    made = np.zeros((len(scribbles), 1, _SCRIBBLE_SIDE, _SCRIBBLE_SIDE), dtype=np.float32)
    for place, drawn in zip(made, scribbles, strict=True):
        height, width = LiteMedSAMFraming().inner_shape(drawn.shape)
        for kind in (np.uint8, np.float32):
            small = cv2.resize(drawn.astype(kind), (width, height), interpolation=cv2.INTER_AREA) > 0
            if small.any():
                break
        place[0, :height, :width] = small
    return torch.from_numpy(made)


def prompt_tensors(transforms: Transforms, prompt: SlicePrompt, shape: Shape) -> PromptTensors:
    """A prompt as the prompt encoder takes it.

    Args:
        transforms: of the model.
        prompt: in slice pixels.
        shape: rows and columns of the slice.
    """
    boxes = None if prompt.boxes is None else boxes_tensor(transforms, prompt.boxes, shape)
    points = None
    if prompt.points is not None and prompt.labels is not None:
        places = np.asarray(prompt.points, dtype=np.float64) * transforms.scale(shape)[:2]
        points = torch.from_numpy(places.astype(np.float32)), torch.from_numpy(prompt.labels.astype(np.float32))
    scribbles = None if prompt.scribbles is None else scribbles_tensor(prompt.scribbles)
    return PromptTensors(boxes, points, scribbles)


def _unit_range(image: np.ndarray) -> np.ndarray:
    """Min–max to 0 … 1 over the slice, float32."""
    values = image.astype(np.float32)
    low, high = values.min(), values.max()
    scaled: np.ndarray = (values - low) / max(float(high - low), 1e-8)
    return scaled


def _three_channels(image: np.ndarray) -> torch.Tensor:
    """(H, W) grey to (1, 3, H, W)."""
    return torch.from_numpy(image)[None, None].repeat(1, 3, 1, 1)


class MedSAMFraming:
    """SAM ViT-B: stretched to 1024 × 1024, cubic, aspect not preserved; no SAM mean and deviation."""

    side = 1024
    margin = 5

    def image(self, pixels: np.ndarray) -> torch.Tensor:
        """See :class:`Transforms`. The grey slice is resized once: its three channels are the same."""
        resized = resize(pixels, (self.side, self.side), order=3, preserve_range=True, anti_aliasing=True)
        # The authors truncate to 8 bits before the min–max.
        return _three_channels(_unit_range(resized.astype(np.uint8)))

    def scale(self, shape: Shape) -> np.ndarray:
        """See :class:`Transforms`."""
        height, width = shape
        return self.side / np.array([width, height, width, height], dtype=np.float64)

    def masks(self, logits: torch.Tensor, shape: Shape) -> torch.Tensor:
        """Sigmoid first, then bilinear to the slice, then > 0.5."""
        probabilities = torch.sigmoid(logits)  # (B, 1, 256, 256)
        restored = F.interpolate(probabilities, size=shape, mode="bilinear", align_corners=False)  # (B, 1, H, W)
        return restored[:, 0] > 0.5


class LiteMedSAMFraming:
    """TinyViT: longest side to 256 by area interpolation, min–max, then zeros to the right and below."""

    side = 256
    margin = 3

    def inner_shape(self, shape: Shape) -> Shape:
        """Rows and columns that the slice takes of the padded square."""
        ratio = self.side / max(shape)
        return max(1, int(shape[0] * ratio + 0.5)), max(1, int(shape[1] * ratio + 0.5))

    def image(self, pixels: np.ndarray) -> torch.Tensor:
        """See :class:`Transforms`. OpenCV's area interpolation is the authors'; others differ by whole grey levels."""
        height, width = self.inner_shape(pixels.shape)
        resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        padded = np.zeros((self.side, self.side), dtype=np.float32)
        # The min–max comes before the padding: black padding must not stretch the range.
        padded[:height, :width] = _unit_range(resized)
        return _three_channels(padded)

    def scale(self, shape: Shape) -> np.ndarray:
        """See :class:`Transforms`. One ratio for both axes."""
        return np.full(4, self.side / max(shape))

    def masks(self, logits: torch.Tensor, shape: Shape) -> torch.Tensor:
        """Crop the padding, bilinear to the slice, then sigmoid, then > 0.5: not MedSAM's order."""
        height, width = self.inner_shape(shape)
        cropped = logits[..., :height, :width]  # (B, 1, h, w); logits and input are both 256 wide
        restored = F.interpolate(cropped, size=shape, mode="bilinear", align_corners=False)  # (B, 1, H, W)
        return torch.sigmoid(restored[:, 0]) > 0.5


class SamFraming:
    """SAM and MobileSAM: longest side to 1024, bilinear, RGB statistics, then zeros to the right and below."""

    side = 1024
    margin = 5
    _mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    _deviation = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)

    def inner_shape(self, shape: Shape) -> Shape:
        """Rows and columns that the slice takes of the padded square."""
        height, width = _longest_side(self.side).get_preprocess_shape(*shape, self.side)
        return max(1, height), max(1, width)

    def image(self, pixels: np.ndarray) -> torch.Tensor:
        """See :class:`Transforms`. Pillow's bilinear interpolation is the authors'; it smooths while it shrinks."""
        from torchvision.transforms.functional import resize as resize_picture
        from torchvision.transforms.functional import to_pil_image

        height, width = self.inner_shape(pixels.shape)
        # Grey is resized once, as in all three channels; by the functions that the authors' own calls.
        grey = torch.from_numpy(np.array(resize_picture(to_pil_image(pixels), [height, width]))).float()  # (h, w)
        padded: torch.Tensor = F.pad(
            (grey - self._mean) / self._deviation, (0, self.side - width, 0, self.side - height)
        )
        return padded[None]

    def scale(self, shape: Shape) -> np.ndarray:
        """See :class:`Transforms`. Each axis by its own rounded length, as published."""
        height, width = self.inner_shape(shape)
        return np.array([width / shape[1], height / shape[0]] * 2)

    def masks(self, logits: torch.Tensor, shape: Shape) -> torch.Tensor:
        """Bilinear to the padded square, crop the padding, bilinear to the slice, then > 0."""
        square = F.interpolate(logits, size=(self.side, self.side), mode="bilinear", align_corners=False)
        height, width = self.inner_shape(shape)
        restored = F.interpolate(square[..., :height, :width], size=shape, mode="bilinear", align_corners=False)
        return restored[:, 0] > 0  # (B, H, W)
