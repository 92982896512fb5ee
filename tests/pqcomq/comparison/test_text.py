"""The names that legends and headings have room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqcomq.comparison.presentation.text import heading, short_precision
from pqcomq.quantization.quantized_model import with_unique_names


@pytest.mark.parametrize(
    ("precision", "short"),
    [
        ("FP32", "FP32"),
        ("FP32, OpenVINO", "FP32"),
        ("4-bit Permutation-COMQ", "4-bit"),
        ("4-bit Permutation-COMQ (3fa29c01), OpenVINO BF16", "4-bit (3fa29c01)"),
    ],
)
def test_the_short_name_of_a_precision(precision, short):
    assert short_precision(precision) == short


@pytest.mark.parametrize(
    ("precision", "told"),
    [
        ("FP32", "FP32"),
        ("FP32, OpenVINO", "FP32"),
        ("BF16, OpenVINO", "BF16"),
        ("4-bit Permutation-COMQ, OpenVINO FP32", "4-bit Permutation-COMQ"),
        ("8-bit COMQ, 8-bit inputs, OpenVINO BF16", "8-bit COMQ, 8-bit inputs, BF16"),
    ],
)
def test_headings_tell_the_arithmetic_but_not_the_library(precision, told):
    assert heading("LiteMedSAM", precision) == f"LiteMedSAM · {told}"


def test_models_of_one_title_bear_their_fingerprints_and_others_do_not(quantized):
    other = replace(quantized, segmenter=replace(quantized.segmenter, fingerprint="0123456789abcdef"))
    eight = replace(quantized, segmenter=replace(quantized.segmenter, precision="8-bit COMQ"))
    names = [each.segmenter.precision for each in with_unique_names([quantized, eight, other])]
    title = quantized.settings.title
    assert names == [f"{title} ({quantized.segmenter.fingerprint[:8]})", "8-bit COMQ", f"{title} (01234567)"]
