"""Coded anatomy: SNOMED CT codes for the names that organs go by in TotalSegmentator, AMOS and FLARE.

The codes are those of DICOM PS3.16 (CID 7150, 7151 and the anatomic regions), taken from pydicom's dictionary of the
standard by keyword, so that no number is typed here. Left and right are modifiers, as in TotalSegmentator's own
table. A name that is not known gets "Tissue", the general code that 3D Slicer starts with; the user's own name stays
as the label in any case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

_STRUCTURE, _ABNORMAL = "AnatomicalStructure", "MorphologicallyAbnormalStructure"

_KEYWORDS = {
    "adrenal gland": "AdrenalGland",
    "aorta": "Aorta",
    "bladder": "Bladder",
    "brain": "Brain",
    "breast": "Breast",
    "clavicle": "Clavicle",
    "colon": "Colon",
    "duodenum": "Duodenum",
    "esophagus": "Esophagus",
    "eye": "Eye",
    "femur": "Femur",
    "gallbladder": "Gallbladder",
    "heart": "Heart",
    "hip": "Hip",
    "humerus": "Humerus",
    "inferior vena cava": "InferiorVenaCava",
    "kidney": "Kidney",
    "left atrium": "LeftAtrium",
    "left ventricle": "LeftVentricle",
    "liver": "Liver",
    "lung": "Lung",
    "lung lower lobe": "LowerLobeOfLung",
    "lung upper lobe": "UpperLobeOfLung",
    "lymph node": "LymphNode",
    "mandible": "Mandible",
    "ovary": "Ovary",
    "pancreas": "Pancreas",
    "parotid gland": "ParotidGland",
    "portal vein": "PortalVein",
    "prostate": "Prostate",
    "pulmonary artery": "PulmonaryArtery",
    "rectum": "Rectum",
    "rib": "Rib",
    "right atrium": "RightAtrium",
    "right ventricle": "RightVentricle",
    "sacrum": "Sacrum",
    "scapula": "Scapula",
    "skull": "Skull",
    "small intestine": "SmallIntestine",
    "spinal cord": "SpinalCord",
    "spleen": "Spleen",
    "splenic vein": "SplenicVein",
    "sternum": "Sternum",
    "stomach": "Stomach",
    "superior vena cava": "SuperiorVenaCava",
    "testis": "Testis",
    "trachea": "Trachea",
    "uterus": "Uterus",
    "vertebra": "Vertebra",
}
"""Name → pydicom's keyword of the SNOMED CT code."""

_ABNORMAL_KEYWORDS = {"cyst": "Cyst", "lesion": "Lesion", "mass": "Mass", "neoplasm": "Neoplasm", "tumor": "Neoplasm"}

_SYNONYMS = {
    "clavicula": "clavicle",
    "gall bladder": "gallbladder",
    "heart atrium left": "left atrium",
    "heart atrium right": "right atrium",
    "heart ventricle left": "left ventricle",
    "heart ventricle right": "right ventricle",
    "ivc": "inferior vena cava",
    "oesophagus": "esophagus",
    "postcava": "inferior vena cava",
    "small bowel": "small intestine",
    "tumour": "tumor",
    "urinary bladder": "bladder",
}

_SIDES = {"left": "Left", "right": "Right"}


@dataclass(frozen=True)
class CodedAnatomy:
    """How DICOM says what an object is.

    Attributes:
        category: e.g. Anatomical Structure.
        kind: e.g. Kidney.
        side: Left or Right; None where the name tells none.
    """

    category: Code
    kind: Code
    side: Code | None


def coded_anatomy(name: str) -> CodedAnatomy:
    """The codes of an object's name, however it is spelled: ``"Right kidney"``, ``"kidney_right"``."""
    words = re.sub(r"[\W_]+", " ", name.lower()).split()
    whole = " ".join(words)
    if (known := _looked_up(whole)) is not None:
        return CodedAnatomy(*known, None)
    sides = [word for word in words if word in _SIDES]
    rest = _looked_up(" ".join(word for word in words if word not in _SIDES))
    if rest is not None and len(sides) == 1:
        return CodedAnatomy(*rest, getattr(codes.SCT, _SIDES[sides[0]]))
    return CodedAnatomy(codes.SCT.Tissue, codes.SCT.Tissue, None)


def known_names() -> list[str]:
    """Names that have a code of their own, sorted, for lists to choose from."""
    paired = ("adrenal gland", "kidney", "lung")
    sided = [f"{side} {name}" for name in paired for side in _SIDES]
    return sorted({*_KEYWORDS, *_ABNORMAL_KEYWORDS, *sided})


def _looked_up(name: str) -> tuple[Code, Code] | None:
    """Category and kind of a normalized name."""
    name = _SYNONYMS.get(name, name)
    for category, keywords in ((_STRUCTURE, _KEYWORDS), (_ABNORMAL, _ABNORMAL_KEYWORDS)):
        if name in keywords:
            return getattr(codes.SCT, category), getattr(codes.SCT, keywords[name])
    return None
