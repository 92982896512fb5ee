"""A small comparison, the store that holds it, and panels on screen."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_pqcomq.results.held.result_store import ResultStore
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison


@pytest.fixture
def result(volume, masks, comparison_of):
    """One object, two models: the second misses the cube's lower half, the first a corner of one slice."""
    left, right = masks
    near = left.copy()
    near[5, 6, 6] = False
    comparisons = tuple(
        comparison_of(volume, left, mask, truth=left, precision=f"{bits}-bit test")
        for mask, bits in ((near, 8), (right, 4))
    )
    weights = SimpleNamespace(
        settings=SimpleNamespace(title="4-bit test"),
        layer_errors={"a": 1e-3, "b": 1e-2},
        calibration={"slice_count": 8},
    )
    candidates = tuple(SimpleNamespace(weights=weights) for _ in comparisons)
    return ComparisonResult(volume, (ObjectComparison("cube", comparisons, left),), None, candidates)


@pytest.fixture
def store():
    return ResultStore()


@pytest.fixture
def shown(qtbot):
    def show(panel):
        qtbot.addWidget(panel)
        panel.resize(860, 240)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return show
