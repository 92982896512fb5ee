import json
import math

import numpy as np
import pytest
from scipy import ndimage

from pqcomq.comparison.measures.metrics import dice, scores

ISOTROPIC = (1.0, 1.0, 1.0)


def cube(shift: tuple[int, int, int] = (0, 0, 0), side: int = 20, room: int = 40) -> np.ndarray:
    mask = np.zeros((room, room, room), bool)
    z, y, x = (8 + step for step in shift)
    mask[z : z + side, y : y + side, x : x + side] = True
    return mask


def ball(radius_mm: float, spacing: tuple[float, float, float], room_mm: float = 50) -> np.ndarray:
    axes = [np.arange(-room_mm / 2, room_mm / 2, step) for step in spacing]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    return z**2 + y**2 + x**2 <= radius_mm**2


def test_equal_masks_are_perfect():
    result = scores(cube(), cube(), (3.0, 1.0, 2.0))
    assert (result.dice, result.nsd, result.hd95_mm) == (1.0, 1.0, 0.0)
    assert result.volume_a_ml == result.volume_b_ml == pytest.approx(20**3 * 6 / 1000)
    assert result.volume_difference_percent == 0
    assert not result.both_empty


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shift", [1, 3, 7])
def test_shifted_cubes(axis, shift):
    """Dice by volumes; the front face, a sixth of the surface, is one shift away, so the 95th percentile is too."""
    spacing = (4.0, 1.5, 0.6)
    step = [0, 0, 0]
    step[axis] = shift
    result = scores(cube(), cube(tuple(step)), spacing)
    assert result.dice == pytest.approx((20 - shift) / 20)
    assert result.volume_difference_percent == 0
    # The face's own edge is nearer, and the depth of the others' faces limits it, only when the shift is large.
    if shift * spacing[axis] < 10 * min(spacing):
        assert result.hd95_mm == pytest.approx(shift * spacing[axis])
    assert scores(cube(), cube(tuple(step)), spacing, shift * spacing[axis]).nsd == 1
    assert scores(cube(), cube(tuple(step)), spacing, 0).nsd < 1


def test_share_of_a_shifted_cube_within_no_tolerance():
    """Shifted by k along x, both x faces and k voxels of the four sides of each cube leave the other's surface."""
    side, k = 60, 4
    result = scores(cube(side=side, room=80), cube((0, 0, k), side=side, room=80), ISOTROPIC, 0)
    assert result.nsd == pytest.approx(1 - (2 * side**2 + 4 * side * k) / (6 * side**2), abs=0.02)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.8, 0.8), (0.7, 1.1, 1.9)])
@pytest.mark.parametrize(("small", "large"), [(10.0, 14.0), (12.0, 20.0)])
def test_concentric_spheres(spacing, small, large):
    result = scores(ball(large, spacing), ball(small, spacing), spacing)
    voxel = math.hypot(*spacing)
    assert result.hd95_mm == pytest.approx(large - small, abs=voxel)
    assert result.dice == pytest.approx(2 * small**3 / (small**3 + large**3), rel=0.03)
    assert result.volume_a_ml == pytest.approx(4 / 3 * math.pi * large**3 / 1000, rel=0.03)
    assert result.volume_difference_percent == pytest.approx(100 * (small**3 / large**3 - 1), rel=0.03)
    assert scores(ball(large, spacing), ball(small, spacing), spacing, large - small + voxel).nsd == 1
    assert scores(ball(large, spacing), ball(small, spacing), spacing, large - small - voxel).nsd == 0


def test_spacing_is_in_array_order():
    """SimpleITK's x y z taken for z y x would call this one voxel along z 0.5 mm instead of 5."""
    a, b = cube(), cube((1, 0, 0))
    assert scores(a, b, (5.0, 1.0, 0.5)).hd95_mm == 5
    assert scores(a, b, (0.5, 1.0, 5.0)).hd95_mm == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_swapping_the_masks_swaps_the_volumes_only(seed):
    rng = np.random.default_rng(seed)
    a, b = (ndimage.gaussian_filter(rng.normal(size=(12, 14, 16)), 1.5) > 0.05 for _ in range(2))
    one, other = scores(a, b, (3.0, 1.0, 1.0)), scores(b, a, (3.0, 1.0, 1.0))
    assert other.dice == one.dice
    assert other.nsd == pytest.approx(one.nsd)
    assert other.hd95_mm == one.hd95_mm
    assert (other.volume_a_ml, other.volume_b_ml) == (one.volume_b_ml, one.volume_a_ml)


@pytest.mark.parametrize("seed", range(3))
def test_neither_place_nor_orientation_matters(seed):
    rng = np.random.default_rng(seed)
    a, b = (ndimage.gaussian_filter(rng.normal(size=(10, 12, 14)), 1.5) > 0.05 for _ in range(2))
    spacing = (0.7, 0.7, 1.3)
    here = scores(a, b, spacing)
    moved = scores(np.pad(a, ((5, 0), (3, 9), (8, 1))), np.pad(b, ((5, 0), (3, 9), (8, 1))), spacing)
    assert moved == here
    turned = scores(a.transpose(2, 0, 1)[::-1], b.transpose(2, 0, 1)[::-1], (1.3, 0.7, 0.7))
    assert turned.dice == here.dice
    assert turned.nsd == pytest.approx(here.nsd)
    assert turned.hd95_mm == pytest.approx(here.hd95_mm)


def test_a_distance_equal_to_the_tolerance_is_within_it_wherever_the_mask_lies():
    for place in range(8):
        a, b = cube((0, 0, place)), cube((0, 0, place + 3))
        assert scores(a, b, (1.0, 1.0, 0.7), 3 * 0.7).nsd == 1


@pytest.mark.parametrize("step", [0.1, 0.2, 0.4, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_spacing_that_a_file_rounded_puts_nothing_beyond_the_tolerance(axis, step):
    """A face 2 mm away, in voxels that single precision or a difference of places makes a hair longer or shorter."""
    longer = [slice(4, 8)] * 3
    longer[axis] = slice(4, 8 + round(2 / step))
    a, b = np.zeros((30, 30, 30), bool), np.zeros((30, 30, 30), bool)
    a[4:8, 4:8, 4:8], b[tuple(longer)] = True, True
    for rounded in (float(np.float32(step)), float(np.nextafter(step, 3)), float(np.nextafter(step, 0)), step):
        spacing = [0.05, 0.05, 0.05]
        spacing[axis] = rounded
        assert scores(a, b, tuple(spacing)).nsd == 1
    assert scores(a, b, (step * 1.001,) * 3).nsd < 1


def test_single_slices_are_plane_figures():
    a, b = np.zeros((1, 40, 40), bool), np.zeros((1, 40, 40), bool)
    a[0, 10:30, 10:30] = True
    b[0, 10:30, 13:33] = True
    result = scores(a, b, (5.0, 1.0, 1.0))
    assert result.dice == pytest.approx(17 / 20)
    assert result.hd95_mm == 3
    assert result.nsd < 0.8
    assert result.volume_a_ml == pytest.approx(400 * 5 / 1000)


def test_single_voxels():
    a, b = np.zeros((5, 5, 5), bool), np.zeros((5, 5, 5), bool)
    a[2, 2, 2] = b[2, 2, 4] = True
    result = scores(a, b, (1.0, 1.0, 3.0))
    assert (result.dice, result.hd95_mm) == (0, 6)


def test_both_empty_is_agreement_and_says_so():
    empty = np.zeros((3, 4, 5), bool)
    result = scores(empty, empty, ISOTROPIC)
    assert (result.dice, result.nsd, result.hd95_mm, result.both_empty) == (1, 1, 0, True)
    assert result.volume_difference_percent is None
    assert dice(empty, empty) == 1


@pytest.mark.parametrize("which", ["a", "b"])
def test_one_empty_is_total_disagreement(which):
    full, empty = cube(), np.zeros_like(cube())
    result = scores(full, empty, ISOTROPIC) if which == "b" else scores(empty, full, ISOTROPIC)
    assert (result.dice, result.nsd, result.hd95_mm, result.both_empty) == (0, 0, math.inf, False)
    assert result.volume_difference_percent == (-100 if which == "b" else None)


@pytest.mark.parametrize("b", [cube((0, 0, 2)), np.zeros_like(cube())])
def test_scores_are_plain_json(b):
    result = scores(cube(), b, ISOTROPIC)
    written = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert written["dice"] == result.dice
    assert written["hd95_infinite"] is math.isinf(result.hd95_mm)
    assert written["hd95_mm"] == (None if math.isinf(result.hd95_mm) else result.hd95_mm)
    assert written["nsd_tolerance_mm"] == 2


def test_any_number_type_counts_as_inside_when_not_zero():
    labels = cube().astype(np.uint8) * 5
    assert scores(labels, cube().astype(float), ISOTROPIC) == scores(cube(), cube(), ISOTROPIC)
    assert dice(labels, cube()) == 1


@pytest.mark.parametrize(
    ("a", "b", "spacing"),
    [
        (cube(), cube()[1:], ISOTROPIC),
        (cube()[0], cube()[0], ISOTROPIC),
        (cube(), cube(), (1.0, 1.0)),
        (cube(), cube(), (1.0, 0.0, 1.0)),
        (cube(), cube(), (1.0, math.nan, 1.0)),
    ],
)
def test_nonsense_is_refused(a, b, spacing):
    with pytest.raises(ValueError, match="expected"):
        scores(a, b, spacing)
    with pytest.raises(ValueError, match="cannot be compared"):
        dice(cube(), cube()[1:])
