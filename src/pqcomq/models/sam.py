"""SAM ViT-B, ViT-L and ViT-H: segment-anything's own checkpoints, with its own pre- and post-processing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from pqcomq.models.checkpoint import file_sha256, load_state, read_state
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import SamFraming

STATISTICS = ("pixel_mean", "pixel_std")
"""SAM's RGB statistics: not persistent in segment-anything, present in some exported checkpoints."""


@dataclass(frozen=True)
class SamFamily:
    """One size of SAM.

    Attributes:
        KEY: on the command line and in files.
        TITLE: for people.
        size: segment-anything's name of the size.
    """

    KEY: str
    TITLE: str
    size: str

    def architecture(self) -> nn.Module:
        """The network with random weights: ``image_encoder``, ``prompt_encoder``, ``mask_decoder``."""
        return vit(self.size)

    def load(self, checkpoint: Path) -> Segmenter:
        """Load from a file such as the authors' ``sam_vit_b_01ec64.pth``.

        Raises:
            InputError: the file is missing, damaged or foreign.
        """
        network = self.architecture()
        load_state(network, without_statistics(read_state(checkpoint)), checkpoint, self.TITLE)
        return self.segmenter(network, checkpoint.name, file_sha256(checkpoint), checkpoint.stat().st_size)

    def segmenter(self, network: nn.Module, checkpoint_name: str, sha256: str, size: int) -> Segmenter:
        """Wrap a loaded network in evaluation mode."""
        network.eval().requires_grad_(False)
        licence = "not known: a checkpoint chosen by the user"
        return Segmenter.of(network, self.KEY, self.TITLE, SamFraming(), checkpoint_name, sha256, size, licence)


def vit(size: str) -> nn.Module:
    """segment-anything's network of a size (``"vit_b"``), its attention a few heads at a time."""
    from segment_anything import sam_model_registry

    from pqcomq.models.chunked_attention import make_lean

    network: nn.Module = sam_model_registry[size]()
    make_lean(network.image_encoder)  # type: ignore[arg-type]
    return network


def without_statistics(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict without SAM's RGB statistics, which are constants of the pre-processing."""
    return {name: value for name, value in state.items() if name not in STATISTICS}


VIT_B = SamFamily("sam-vit-b", "SAM ViT-B", "vit_b")
VIT_L = SamFamily("sam-vit-l", "SAM ViT-L", "vit_l")
VIT_H = SamFamily("sam-vit-h", "SAM ViT-H", "vit_h")
