from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import marching_cubes, mesh_surface_area

from pqcomq.comparison.measures.metrics import scores
from pqcomq.comparison.measures.surface_distance import SurfaceDistances, _element_areas, surface_distances

SPACINGS = [(1.0, 1.0, 1.0), (4.0, 0.7, 0.7), (1.3, 2.0, 0.5)]


def area_of(mask: np.ndarray, spacing: tuple[float, float, float]) -> float:
    there, _ = surface_distances(mask, mask, spacing)
    return there.area


def blob(seed: int, shape: tuple[int, ...] = (9, 11, 10)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, 1.5) > 0.03


@pytest.mark.parametrize("spacing", SPACINGS)
def test_every_element_but_the_two_flat_ones_has_an_area_and_shares_it_with_its_complement(spacing):
    areas = _element_areas(np.array(spacing))
    assert np.flatnonzero(areas == 0).tolist() == [0, 255]
    np.testing.assert_array_equal(areas, areas[::-1])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_every_arrangement_of_eight_voxels_weighs_as_much_as_its_mirror_image(axis):
    bits = np.arange(8).reshape(2, 2, 2)
    for code in range(1, 256):
        block = (code >> bits) & 1 == 1
        assert area_of(block, (4.0, 1.3, 0.7)) == pytest.approx(area_of(np.flip(block, axis), (4.0, 1.3, 0.7)))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_a_box_has_the_area_of_a_box_with_bevelled_edges(spacing):
    nz, ny, nx = 6, 8, 7
    sz, sy, sx = spacing
    flat = 2 * ((ny - 1) * (nx - 1) * sy * sx + (nz - 1) * (nx - 1) * sz * sx + (nz - 1) * (ny - 1) * sz * sy)
    edges = 4 * (
        (nx - 1) * sx * np.hypot(sz, sy) / 2
        + (ny - 1) * sy * np.hypot(sz, sx) / 2
        + (nz - 1) * sz * np.hypot(sy, sx) / 2
    )
    corner = np.linalg.norm([sy * sx, sz * sx, sz * sy]) / 8
    assert area_of(np.ones((nz, ny, nx), bool), spacing) == pytest.approx(flat + edges + 8 * corner)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(3))
def test_areas_agree_with_another_marching_cubes(spacing, seed):
    mask = blob(seed, (30, 32, 34))
    vertices, faces, *_ = marching_cubes(np.pad(mask, 1).astype(float), 0.5, spacing=spacing, method="lorensen")
    # The two disagree where opposite corners touch and on how bent polygons are cut into triangles.
    assert area_of(mask, spacing) == pytest.approx(mesh_surface_area(vertices, faces), rel=0.04)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(4))
def test_distances_agree_with_brute_force(spacing, seed):
    a, b = blob(seed), blob(seed + 100)
    there, back = surface_distances(a, b, spacing)
    for mine, (distances, _) in ((there, slow_distances(a, b, spacing)), (back, slow_distances(b, a, spacing))):
        assert np.all(np.diff(mine.distances) >= 0)
        np.testing.assert_allclose(mine.distances, np.sort(distances), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_single_slice_is_a_contour(seed):
    mask = blob(seed, (1, 20, 24))
    spacing = (5.0, 0.8, 1.7)
    there, _ = surface_distances(mask, mask, spacing)
    assert there.area == pytest.approx(slow_contour(mask[0], spacing[1:]))


def test_thickness_of_a_single_slice_does_not_matter():
    a, b = blob(1, (1, 20, 24)), blob(2, (1, 20, 24))
    thin, thick = (surface_distances(a, b, (depth, 1.0, 1.0))[0] for depth in (0.1, 100.0))
    np.testing.assert_array_equal(thin.distances, thick.distances)
    np.testing.assert_array_equal(thin.areas, thick.areas)


def averaged(distances: SurfaceDistances) -> float:
    """Mean distance in mm, weighed by area, as DeepMind's ``compute_average_surface_distance``."""
    return float((distances.distances * distances.areas).sum() / distances.area)


def boxes(shape: tuple[int, ...], a: tuple[slice | int, ...], b: tuple[slice | int, ...]) -> list[np.ndarray]:
    """Two masks, each true in one box."""
    masks = [np.zeros(shape, bool) for _ in range(2)]
    masks[0][a], masks[1][b] = True, True
    return masks


# The expected numbers are those of surface_distance_test.py in google-deepmind/surface-distance, to their three places.
PUBLISHED = {
    "2 voxels 2 mm apart": (boxes((128, 128, 128), (50, 60, 70), (50, 60, 72)), (3, 2, 1),
                            (1.5, 1.5), 2.0, 2.0, (0.5, 0.5), 0.5, 0.0),
    "2 half spaces": (boxes((100, 100, 100), (slice(0, 50),), (slice(0, 51),)), (2, 1, 1),
                      (0.322, 0.339), 2.0, 2.0, (0.842, 0.830), 0.836, 0.990),
    "2 pixels 2 mm apart": (boxes((1, 128, 128), (0, 50, 70), (0, 50, 72)), (5, 2, 1),
                            (1.5, 1.5), 2.0, 2.0, (0.5, 0.5), 0.5, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("case", PUBLISHED, ids=str)
def test_numbers_are_those_that_deepmind_publishes(case):
    (a, b), spacing, average, farthest, hd95, overlap, nsd_1mm, overlap_of_volumes = PUBLISHED[case]
    pair = surface_distances(a, b, spacing)
    assert [averaged(each) for each in pair] == pytest.approx(average, abs=5e-4)
    assert max(each.percentile(100) for each in pair) == pytest.approx(farthest, abs=5e-4)
    assert [each.within(1.0) / each.area for each in pair] == pytest.approx(overlap, abs=5e-4)
    found = scores(a, b, spacing, nsd_tolerance_mm=1.0)
    assert found.hd95_mm == pytest.approx(hd95, abs=5e-4)
    assert found.nsd == pytest.approx(nsd_1mm, abs=5e-4)
    assert found.dice == pytest.approx(overlap_of_volumes, abs=5e-4)


def test_elements_of_two_pixels_are_those_that_deepmind_publishes():
    a, b = boxes((1, 128, 128), (0, 50, 70), (0, 50, 72))
    for found in surface_distances(a, b, (5.0, 2.0, 1.0)):
        np.testing.assert_array_equal(found.distances, [1, 1, 2, 2])
        np.testing.assert_array_equal(found.areas, [np.hypot(2, 1) / 2] * 4)


def test_elements_of_two_squares_are_those_that_deepmind_publishes():
    """Pixels of 2 x 1 mm: a square of two by two, and the same with two pixels more below it."""
    a, b = boxes((1, 6, 6), (0, slice(1, 3), slice(1, 3)), (0, slice(1, 4), slice(1, 3)))
    vertical, horizontal, diagonal = 2.0, 1.0, np.hypot(2, 1) / 2
    there, back = surface_distances(a, b, (5.0, vertical, horizontal))
    assert there.distances.tolist() == [0] * 7 + [horizontal]
    assert sorted(there.areas) == sorted([diagonal, horizontal, diagonal, vertical] * 2)
    assert back.distances.tolist() == [0] * 7 + [vertical] * 3
    assert sorted(back.areas) == sorted([diagonal, horizontal, diagonal, vertical, vertical] * 2)


@pytest.mark.parametrize("empty", [0, 1])
def test_an_empty_mask_is_infinitely_far_as_deepmind_publishes(empty):
    masks = boxes((128, 128, 128), (50, 60, 70), (50, 60, 72))
    masks[empty][:] = False
    found = scores(*masks, (3, 2, 1), nsd_tolerance_mm=1.0)
    assert (found.hd95_mm, found.nsd, found.dice) == (np.inf, 0.0, 0.0)


def corners(mask: np.ndarray) -> list[tuple[int, ...]]:
    """Corners between voxels where the mask changes, by looking at every one."""
    padded = np.pad(mask, 1)
    found = []
    for index in product(*(range(size + 1) for size in mask.shape)):
        block = padded[tuple(slice(start, start + 2) for start in index)]
        if block.any() and not block.all():
            found.append(index)
    return found


def slow_distances(a: np.ndarray, b: np.ndarray, spacing: tuple[float, ...]) -> tuple[np.ndarray, list]:
    from_a, to_b = corners(a), np.array(corners(b))
    step = np.array(spacing)
    return np.array([np.sqrt((((to_b - one) * step) ** 2).sum(axis=1)).min() for one in from_a]), from_a


def slow_contour(mask: np.ndarray, spacing: tuple[float, float]) -> float:
    """Length of the contour that cuts every pixel edge between inside and outside in the middle."""
    height, width = spacing
    padded, total = np.pad(mask, 1), 0.0
    for y, x in corners(mask):
        (nw, ne), (sw, se) = padded[y : y + 2, x : x + 2]
        cut = [nw != ne, sw != se, nw != sw, ne != se]  # top, bottom, left, right edge of the dual square
        if all(cut):
            total += 2 * np.hypot(height, width) / 2
        elif cut[0] and cut[1]:
            total += height
        elif cut[2] and cut[3]:
            total += width
        else:
            total += np.hypot(height, width) / 2
    return total
