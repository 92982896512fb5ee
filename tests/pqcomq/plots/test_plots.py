"""What the plots say, read back from the figures: lines hold the numbers, texts name units and sample sizes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from pqcomq.comparison.box_perturbation import BoxJitter, MovedBox
from pqcomq.comparison.measures.latency import Latency
from pqcomq.plots.bits_vs_dice import draw_trade_off
from pqcomq.plots.box_perturbation_plot import draw_jitter
from pqcomq.plots.dice_per_slice import draw_along_slices
from pqcomq.plots.latencies import draw_latencies
from pqcomq.plots.layer_errors import draw_layer_errors
from pqcomq.plots.svg import as_svg
from pqcomq.plots.theme import DARK, LIGHT, LINE_STYLES, MARKERS


@pytest.fixture
def truth(phantom):
    mask = np.zeros(phantom.voxels.shape, bool)
    mask[0:6, 20:40, 20:40] = True
    return mask


@pytest.fixture
def comparisons(phantom, truth, comparison_of):
    """Two candidates, 8 and 2 bits, the second without the last slice's half."""
    worse = truth.copy()
    worse[5, 20:30] = False
    better = truth.copy()
    better[5, 20] = False
    return [
        comparison_of(phantom, truth, mask, truth=truth, precision=f"{bits}-bit test")
        for mask, bits in ((better, 8), (worse, 2))
    ]


def said(figure):
    FigureCanvasAgg(figure).draw()
    return " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")


def test_models_of_one_width_bear_their_methods_in_every_plot(comparisons):
    names = "4-bit Round to nearest", "4-bit Permutation-COMQ"
    alike = [
        replace(each, candidate=replace(each.candidate, precision=name))
        for each, name in zip(comparisons, names, strict=True)
    ]
    jitter = BoxJitter(5, (5.0, 5.0), 0, (MovedBox(alike[0].box, 0.9, None),))
    errors = [(name, {"a": 0.1, "b": 0.2}) for name in names]
    plots = {
        "slices": partial(draw_along_slices, comparisons=alike),
        "trade-off": partial(draw_trade_off, comparisons=alike, measure="agreement"),
        "latencies": partial(draw_latencies, comparisons=alike),
        "moved boxes": partial(draw_jitter, jitter=jitter, comparisons=alike),
        "layers": partial(draw_layer_errors, errors=errors, calibration_slices=[2]),
    }
    for title, draw in plots.items():
        figure = Figure(figsize=(5, 4))
        draw(figure, look=LIGHT)
        told = said(figure)
        assert all(name in told for name in names), title


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"])
def look(request):
    return request.param


def test_dice_along_the_slices_is_drawn_as_it_is(comparisons, look):
    figure = Figure(figsize=(3.6, 3.4))
    draw_along_slices(figure, comparisons, look, least_dice=0.98)
    agreement, accuracy = figure.axes
    lines = {line.get_label(): line for line in agreement.get_lines()}
    assert lines["2-bit"].get_xdata().tolist() == [0, 1, 2, 3, 4, 5]
    assert lines["2-bit"].get_ydata().tolist() == [each.agreement for each in comparisons[1].slices]
    assert set(lines["gate 0.98"].get_ydata()) == {0.98}
    assert {"FP32", "8-bit", "2-bit"} <= {line.get_label() for line in accuracy.get_lines()}
    text = said(figure)
    assert "Dice between the models" in text
    assert "Dice against ground truth" in text
    assert "diverge, and agree least, 5" in text
    assert "n = 6 slices" in text


def test_without_ground_truth_nothing_is_said_of_it(phantom, truth, comparison_of, look):
    figure = Figure(figsize=(3.6, 3.4))
    one = replace(comparison_of(phantom, truth, truth), mode="same")
    draw_along_slices(figure, [one], look)
    assert len(figure.axes) == 1
    assert "ground truth" not in said(figure)
    with pytest.raises(ValueError, match="no ground truth"):
        draw_trade_off(figure, [one], look, "accuracy")


def test_one_slice_and_empty_masks_are_drawn(phantom, truth, comparison_of, look):
    nothing = np.zeros_like(truth)
    single = truth.copy()
    single[1:] = False
    comparison = comparison_of(phantom, nothing, single)
    for draw in (draw_along_slices, draw_latencies, partial(draw_trade_off, measure="agreement")):
        figure = Figure(figsize=(3.6, 3.4))
        draw(figure, [comparison], look=look)
        assert "4-bit" in said(figure)
        assert figure.axes


def test_simulated_speed_never_shares_axes_with_measured(comparisons, look):
    real = replace(comparisons[0], candidate=replace(comparisons[0].candidate, simulated=False, precision="8-bit real"))
    for draw in (draw_latencies, partial(draw_trade_off, measure="agreement")):
        figure = Figure(figsize=(3.6, 3.8))
        draw(figure, [real, comparisons[1]], look=look)
        assert "simulated" in said(figure)
        for axes in figure.axes:
            if "simulated" in axes.get_title("left"):
                named = {text.get_text() for text in axes.texts} | {tick.get_text() for tick in axes.get_yticklabels()}
                assert "2-bit" in named
                assert not {"FP32", "8-bit"} & named
    only_real = Figure(figsize=(3.6, 3.8))
    draw_latencies(only_real, [real], look=look)
    assert "simulated" not in said(only_real)


def test_trade_off_keeps_agreement_and_accuracy_apart(comparisons, look):
    figure = Figure(figsize=(3.6, 3.8))
    draw_trade_off(figure, comparisons, look, "agreement")
    text = said(figure)
    assert "Dice between the models" in text
    assert "ground truth" not in text
    assert "1 by definition" in text
    draw_trade_off(figure, comparisons, look, "accuracy")
    text = said(figure)
    assert "Dice against ground truth" in text
    assert "between" not in text
    assert "ms a slice" in text


def test_a_low_trade_off_still_tells_one_dice_from_another(comparisons, look):
    figure = Figure(figsize=(6.8, 1.9))  # inches, as the tab is in a window of 1280 × 800
    draw_trade_off(figure, comparisons, look, "agreement")
    assert {"measured", "simulated: low bits run as FP32"} <= {axes.get_title(loc="left") for axes in figure.axes}
    FigureCanvasAgg(figure).draw()
    assert min(axes.bbox.height for axes in figure.axes) > 0.4 * figure.bbox.height
    inside = figure.bbox.padded(1)
    for axes in figure.axes:
        for text in (*axes.texts, axes.xaxis.label, axes.title):
            corners = text.get_window_extent().corners()
            assert all(inside.contains(*corner) for corner in corners), text.get_text()


def test_every_pass_is_a_point(comparisons, look):
    figure = Figure(figsize=(3.6, 3.0))
    draw_latencies(figure, comparisons, look)
    points = [len(line.get_xdata()) for axes in figure.axes for line in axes.get_lines()]
    assert points == [6] * 6, "encoder and decoder of three models"
    assert "n = 6 passes of each encoder, 6 of each decoder" in said(figure)


def test_passes_are_counted_where_they_were_made(comparisons, look):
    encoder = Latency.of([9.0, 9.5, 10.0])  # kept embeddings are encoded again on a few slices alone
    fewer = replace(comparisons[1], candidate=replace(comparisons[1].candidate, encoder=encoder))
    figure = Figure(figsize=(3.6, 3.0))
    draw_latencies(figure, [comparisons[0], fewer], look)
    assert "n = 3 to 6 passes of each encoder, 6 of each decoder" in said(figure)
    draw_trade_off(figure, [comparisons[0], fewer], look, "agreement")
    assert "n = 3 to 6" in said(figure)


@pytest.mark.parametrize("key", [MARKERS, LINE_STYLES])
def test_nine_models_differ_in_more_than_their_colour(look, key):
    assert len({(look.candidate(index), key[index % len(key)]) for index in range(9)}) == 9


def test_weights_of_little_more_than_a_bit_stand_on_the_plot(comparisons, look):
    figure = Figure(figsize=(3.6, 3.0))
    coded = replace(comparisons[1], candidate=replace(comparisons[1].candidate, effective_bits=1.1))
    draw_trade_off(figure, [coded], look, "agreement")
    low, high = figure.axes[0].get_xlim()
    assert low < 1.1 < 32 < high


def test_layers_of_models_that_saw_other_slices_say_so(look):
    figure = Figure(figsize=(3.6, 3.0))
    draw_layer_errors(figure, [("8-bit", {"a": 1e-6}), ("2-bit", {"a": 1e-3})], [8, 1], look)
    assert "on 8 and 1 calibration slices;" in said(figure)


def test_the_worst_layers_are_named(look):
    figure = Figure(figsize=(3.6, 3.0))
    errors = [("8-bit", {"a": 1e-6, "b": 0.0, "c": 1e-5}), ("2-bit", {"a": 1e-3, "b": 1e-4, "c": 1e-2})]
    draw_layer_errors(figure, errors, [8], look)
    text = said(figure)
    assert "n = 3" in text
    assert "3: c; 1: a; 2: b" in text
    assert "8 calibration slices" in text


def test_moved_boxes_stand_beside_the_quantized_model(comparisons, look):
    box = comparisons[0].box
    jitter = BoxJitter(5, (10.0, 10.0), 0, (MovedBox(box, 0.9, None), MovedBox(box, 0.8, None)))
    figure = Figure(figsize=(3.6, 2.2))
    draw_jitter(figure, jitter, comparisons, look)
    lines = {line.get_label(): line.get_xdata() for line in figure.axes[0].get_lines()}
    assert list(lines["FP32, box moved"]) == [0.8, 0.9]
    assert lines["2-bit"][0] == comparisons[1].agreement.dice
    assert "n = 2 boxes" in said(figure)


def test_an_svg_is_whole_and_the_same_every_time(comparisons):
    draw = partial(draw_along_slices, comparisons=comparisons, look=LIGHT)
    first = as_svg(draw, 6, 3)
    assert first == as_svg(draw, 6, 3)
    assert ET.fromstring(first).tag.endswith("svg")
    assert "<text" not in first, "letters are outlines, so that they look the same everywhere"
