import io
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image, ImageColor

from pqcomq.comparison.presentation import figure
from pqcomq.comparison.presentation.figure import BOX, LEFT, RIGHT, TRUTH, WIDTH, draw_comparison, scale_bar_mm
from pqcomq.comparison.presentation.palette import OUTSIDE_COLOUR
from pqcomq.segmentation.prompt import PromptPoint

SLICE = np.full((100, 120), 80, np.uint8)
LEFT_MASK, RIGHT_MASK, TRUTH_MASK = (np.zeros(SLICE.shape, bool) for _ in range(3))
LEFT_MASK[20:60, 20:60] = True
RIGHT_MASK[30:80, 60:100] = True
TRUTH_MASK[10:90, 10:110] = True
LINES = ["LiteMedSAM · FP32", "Volume 12.3 mL", "Encoder 312 ms · decoder 14.2 ms (median)"]


def drawn(**changes) -> Image.Image:
    given = {
        "image_slice": SLICE,
        "left_mask": LEFT_MASK,
        "right_mask": RIGHT_MASK,
        "box": (5.0, 5.0, 115.0, 95.0),
        "truth": TRUTH_MASK,
        "left_lines": LINES,
        "right_lines": [*LINES, "Dice vs full precision 0.987"],
        "title": "A volume · slice 12",
        "spacing_yx": (1.0, 1.0),
    }
    stream = io.BytesIO()
    draw_comparison(stream, **(given | changes))
    stream.seek(0)
    return Image.open(stream).convert("RGB")


def test_a_scribble_is_filled_on_both_sides_and_named():
    scribble = np.zeros(SLICE.shape, bool)
    scribble[40:60, 20:100] = True
    colour = "#FF00FF"
    without = near(drawn(box=None, box_colour=colour), colour).sum()
    assert near(drawn(box=None, box_colour=colour, scribble=scribble), colour).sum() > without + 1000


def near(picture: Image.Image, colour: str) -> np.ndarray:
    return np.abs(np.asarray(picture).astype(int) - ImageColor.getrgb(colour)).max(axis=2) < 25


def halves(found: np.ndarray) -> tuple[int, int]:
    """Pixels found left and right, without heading and legend."""
    top, bottom = 70, found.shape[0] - 60
    return int(found[top:bottom, : WIDTH // 2].sum()), int(found[top:bottom, WIDTH // 2 :].sum())


def test_each_side_shows_its_own_mask_and_both_the_truth_and_the_box():
    picture = drawn()
    assert picture.width == WIDTH
    left, right = halves(near(picture, LEFT))
    assert left > 500 > 100 > right
    left, right = halves(near(picture, RIGHT))
    assert right > 500 > 100 > left
    for colour in (TRUTH, BOX):
        assert min(halves(near(picture, colour))) > 300


def test_truth_and_box_can_be_left_out():
    assert not any(halves(near(drawn(truth=None, box=None), TRUTH)))
    assert sum(halves(near(drawn(truth=None, box=None), BOX))) < sum(halves(near(drawn(), BOX))) - 500


def test_the_same_input_gives_the_same_file():
    assert drawn().tobytes() == drawn().tobytes()


def test_a_mask_lies_where_its_voxels_are():
    """The mask's fill covers, in the panel, the same share of width and height as in the slice."""
    plain, filled = (np.asarray(drawn(left_mask=mask, box=None)) for mask in (LEFT_MASK & False, LEFT_MASK))
    rows, columns = np.nonzero((plain != filled).any(axis=2))
    panel = (WIDTH - 60) // 2
    scale = panel / 120
    assert columns.min() == pytest.approx(20 + 20 * scale, abs=5)
    assert columns.max() == pytest.approx(20 + 60 * scale, abs=5)
    assert rows.max() - rows.min() == pytest.approx(40 * scale, abs=9)


def test_panels_have_the_true_proportions():
    square, tall = drawn(), drawn(spacing_yx=(2.0, 1.0))
    assert tall.height > square.height
    rows, columns = np.nonzero(near(tall, LEFT)[70:-60, : WIDTH // 2])
    columns, rows = columns[columns > 30], rows[columns > 30]
    assert np.ptp(rows) == pytest.approx(2 * np.ptp(columns), rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (512, 512)])
def test_any_shape_and_empty_masks_can_be_drawn(shape):
    empty = np.zeros(shape, bool)
    picture = drawn(
        image_slice=np.zeros(shape, np.uint8), left_mask=empty, right_mask=empty, truth=empty, box=(0, 0, *shape[::-1])
    )
    assert picture.width == WIDTH


def test_long_lines_are_broken_not_cut():
    one, broken = drawn(left_lines=["word"]), drawn(left_lines=["word " * 100])
    assert broken.height > one.height + 50
    assert drawn(left_lines=[]).width == WIDTH
    assert drawn(title="x" * 500).width == WIDTH


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        drawn(left_mask=LEFT_MASK[1:])
    with pytest.raises(ValueError, match="of one shape"):
        drawn(truth=TRUTH_MASK[None])


def test_a_path_is_written_too(tmp_path: Path):
    path = tmp_path / "figure.png"
    draw_comparison(path, SLICE, LEFT_MASK, RIGHT_MASK, None, None, LINES, LINES, "Title", (1.0, 1.0))
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.width == WIDTH


def test_on_a_real_ct(real_data: Path):
    voxels, labels = (
        sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(real_data / name), "LPS"))
        for name in ("abdomen_ct.nii.gz", "abdomen_ct_labels.nii.gz")
    )
    liver = labels == 5
    z = int(liver.sum(axis=(1, 2)).argmax())
    seen = ((np.clip(voxels[z], -160, 240) + 160) / 400 * 255).astype(np.uint8)
    body = labels[z] > 0
    picture = drawn(
        image_slice=seen, left_mask=liver[z], right_mask=liver[z], truth=body, box=None, spacing_yx=(3.0, 3.0)
    )
    columns = np.nonzero(near(picture, LEFT)[70:-60])[1]
    assert np.median(columns[columns > 30]) < WIDTH / 4, "the liver is on the left of the left panel"


def test_a_small_object_is_drawn_close_up_with_its_own_scale():
    size = (400, 400)
    lesion, far = np.zeros(size, bool), np.zeros(size, bool)
    lesion[200:220, 300:330] = True
    given = {"image_slice": np.full(size, 80, np.uint8), "left_mask": lesion, "right_mask": lesion, "truth": far}
    for box, across in (((0, 0, 399, 399), 400), ((295, 195, 335, 225), 2 * 41)):  # voxels; a small box takes half
        _rows, columns = np.nonzero(near(drawn(**given, box=box), LEFT)[70:-60, 40 : WIDTH // 2])
        assert np.ptp(columns) == pytest.approx(30 / across * (WIDTH - 60) / 2, abs=5)
    point = PromptPoint(x=20, y=20, z=0, positive=False)
    assert near(drawn(**given, box=None, points=(point,)), OUTSIDE_COLOUR).any(), "all of the prompt"


@pytest.mark.parametrize(
    ("width", "expected"), [(400.0, 100), (399.0, 50), (380.0, 50), (200.0, 50), (60.0, 10), (4.0, 1), (3.9, 0.5)]
)
def test_scale_bar_is_a_round_number_of_millimetres(width, expected):
    assert scale_bar_mm(width) == pytest.approx(expected)


def test_a_line_with_a_multiplication_sign_is_set_in_the_same_font():
    """The same letters are the same pixels, whatever else the line holds."""
    plain, crossed = (np.asarray(drawn(title=f"Encoder 312 ms {sign}")) for sign in ("x", "×"))
    head = np.s_[20:48, 20:160]
    assert plain[head].std() > 10
    np.testing.assert_array_equal(plain[head], crossed[head])


def test_what_no_font_has_is_a_question_mark(monkeypatch):
    monkeypatch.setattr(figure, "_characters", lambda: frozenset(range(0x20, 0x2300)))
    assert figure._drawable("HD95 ∞ Ärzte 3 × 3 腹部") == "HD95 ∞ Ärzte 3 × 3 ??"
    assert drawn(title="\U0010ffff 腹部 $x^2$").width == WIDTH
