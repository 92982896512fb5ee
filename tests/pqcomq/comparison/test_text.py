"""The names that legends and headings have room for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pqcomq.comparison.presentation.comparison_text import (
    comparison_rows,
    doubt_text,
    heading,
    short_names,
    short_precision,
    side_lines,
)
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


def test_doubt_is_told_with_its_worst_slice_and_not_where_it_is_not_known(comparison_of, phantom):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[1:4, 20:40, 20:40] = True
    unknown = comparison_of(phantom, mask, mask)
    assert doubt_text(unknown) == ""
    assert not [line for line in side_lines(unknown, unknown.candidate) if "doubt" in line]
    scores = [
        replace(each, candidate_stability=known) for each, known in zip(unknown.slices, (0.91, 0.41, None), strict=True)
    ]
    doubtful = replace(unknown, slices=tuple(scores))
    assert doubt_text(doubtful) == "1 of 3 slices (least stability 0.41, slice 2)"
    assert "In doubt: 1 of 3 slices (least stability 0.41, slice 2)" in side_lines(doubtful, doubtful.candidate)
    assert not [line for line in side_lines(doubtful, doubtful.reference) if "doubt" in line]
    sure = replace(unknown, slices=(replace(unknown.slices[0], candidate_stability=0.95),))
    assert doubt_text(sure) == "none of 1 slice (least stability 0.95, slice 1)"


def test_models_of_one_title_bear_their_fingerprints_and_others_do_not(quantized):
    other = replace(quantized, segmenter=replace(quantized.segmenter, fingerprint="0123456789abcdef"))
    eight = replace(quantized, segmenter=replace(quantized.segmenter, precision="8-bit COMQ"))
    names = [each.segmenter.precision for each in with_unique_names([quantized, eight, other])]
    title = quantized.settings.title
    assert names == [f"{title} ({quantized.segmenter.fingerprint[:8]})", "8-bit COMQ", f"{title} (01234567)"]
    once, twice = (each.segmenter.precision for each in with_unique_names([quantized, quantized]))
    assert (once, twice) == (names[0], f"{names[0][:-1]}_2)"), "of another calibration, which rounding does not show"
    assert len(set(short_names([once, twice]).values())) == 2


@pytest.mark.parametrize(("kept", "told"), [(15, "-25.0 %"), (20, "+0.0 %")])
def test_the_difference_of_the_volumes_stands_in_the_table(comparison_of, phantom, kept, told):
    full, quantized = np.zeros((2, *phantom.voxels.shape), dtype=bool)
    full[1:4, 30:50, 30:50] = True
    quantized[1:4, 30:50, 30 : 30 + kept] = True
    rows = {row[0]: row[1:] for row in comparison_rows(comparison_of(phantom, full, quantized))}
    assert rows["Volume vs full precision"] == ("", told)


def test_of_an_empty_mask_nothing_is_a_share(comparison_of, phantom):
    full, quantized = np.zeros((2, *phantom.voxels.shape), dtype=bool)
    quantized[1:4, 30:50, 30:50] = True
    rows = {row[0]: row[1:] for row in comparison_rows(comparison_of(phantom, full, quantized))}
    assert rows["Volume vs full precision"] == ("", "–")
