import numpy as np
import pytest

from pqcomq.samples.phantom_canvas import Canvas, scanned, smooth_noise
from pqcomq.samples.phantom_shapes import Solid, blended, carved, ellipsoid, tube, within


def at(solid: Solid, *points: tuple[float, float, float]) -> list[float]:
    x, y, z = np.array(points, dtype=np.float32).T
    return solid.distance(x, y, z).tolist()


def test_a_sphere_and_a_straight_tube_have_exact_distances():
    ball = ellipsoid((1, 2, 3), (10, 10, 10))
    assert at(ball, (1, 2, 18), (1, 7, 3), (11, 2, 3)) == pytest.approx([5, -5, 0], abs=1e-4)
    pipe = tube([(0, 0, 0, 2), (10, 0, 0, 2)])
    assert at(pipe, (5, 5, 0), (5, 0, 1), (-4, 3, 0), (12, 0, 0)) == pytest.approx([3, -1, 3, 0], abs=1e-4)


def test_a_tube_tapers():
    assert at(tube([(0, 0, 0, 4), (10, 0, 0, 2)]), (5, 0, 0)) == pytest.approx([-3])


def test_an_ellipsoid_is_zero_on_its_surface_and_signed_beside_it():
    assert at(ellipsoid((0, 0, 0), (30, 20, 10)), (30, 0, 0), (0, -20, 0), (0, 0, 10)) == pytest.approx(
        [0] * 3, abs=1e-4
    )
    inside, outside = at(ellipsoid((0, 0, 0), (30, 20, 10)), (0, 0, 9), (0, 0, 11))
    assert inside == pytest.approx(-1, abs=0.01)
    assert outside == pytest.approx(1, abs=0.01)


def test_turning_moves_the_long_axis():
    upright, lying = ellipsoid((0, 0, 0), (5, 5, 20)), ellipsoid((0, 0, 0), (5, 5, 20), tilt=np.pi / 2)
    assert at(upright, (0, 0, 15))[0] < 0 < at(upright, (15, 0, 0))[0]
    assert at(lying, (15, 0, 0))[0] < 0 < at(lying, (0, 0, 15))[0]


def test_blending_carving_and_clipping():
    a, b = ellipsoid((-8, 0, 0), (10, 10, 10)), ellipsoid((8, 0, 0), (10, 10, 10))
    assert at(blended(a, b, 6), (0, 7, 0))[0] < 0 < at(a, (0, 7, 0))[0], "the crease is filled"
    cut = carved(a, b, gap=1, width=0.5)
    assert at(cut, (0, 0, 0))[0] > 0
    assert at(cut, (-2.5, 0, 0))[0] > 0, "the gap is kept free"
    assert at(cut, (-12, 0, 0)) == at(a, (-12, 0, 0)), "far from the cut nothing changes"
    half = within(a, lambda x, y, z: np.asarray(z), gap=0, width=0.5)
    assert at(half, (-8, 0, -5))[0] < 0 < at(half, (-8, 0, 5))[0]


def test_shapes_stay_within_their_bounds():
    x, y, z = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-60, 60, 41, dtype=np.float32)] * 3))
    shapes = [
        ellipsoid((5, -3, 2), (20, 10, 30), tilt=0.5, turn=1.0),
        tube([(-20, 0, 0, 5), (10, 20, -10, 9), (0, 0, 30, 3)]),
        blended(ellipsoid((-10, 0, 0), (15, 15, 15)), ellipsoid((12, 5, 0), (12, 12, 12)), 10),
    ]
    for shape in shapes:
        inside = shape.distance(x, y, z) < 0
        assert inside.any()
        for values, low, high in zip((x, y, z), shape.low, shape.high, strict=True):
            assert low <= values[inside].min()
            assert values[inside].max() <= high


def test_painting_fades_at_the_edge_and_labels_the_inside():
    canvas = Canvas((96, 96, 60), (4.0, 4.0, 4.0), np.random.default_rng(0))
    canvas.paint(ellipsoid((0, 0, 0), (60, 60, 60)), 100, label=3)
    canvas.paint(ellipsoid((0, 0, 0), (20, 20, 20)), 300, label=None)
    inside = canvas.labels == 3
    assert inside.sum() * 4**3 == pytest.approx(4 / 3 * np.pi * 60**3, rel=0.25)
    assert canvas.hounsfield[~inside].max() < -400
    assert canvas.hounsfield[inside].max() == pytest.approx(300, abs=1)
    assert np.any((canvas.hounsfield > -900) & (canvas.hounsfield < 0))
    canvas.paint(ellipsoid((0, 0, 0), (100, 100, 100)), 0)
    assert not canvas.labels.any()


def test_a_kept_distance_is_computed_once_and_draws_the_same():
    asked = []

    def outline(x, y, z):
        asked.append(np.broadcast(x, y, z).size)
        return np.asarray(np.hypot(x, y) - 70)

    def drawn(outline_of):
        canvas = Canvas((96, 96, 60), (4.0, 4.0, 4.0), np.random.default_rng(0))
        canvas.fill(outline_of(canvas), -100)
        for x in (-60, 0, 60):
            body = within(ellipsoid((x, 0, 0), (40, 30, 50)), outline_of(canvas))
            canvas.paint(carved(body, within(ellipsoid((x, 20, 0), (20, 20, 20)), outline_of(canvas))), 100, label=1)
        return canvas

    plain, computed = drawn(lambda canvas: outline), sum(asked)
    asked.clear()
    kept = drawn(lambda canvas: canvas.kept(outline))
    np.testing.assert_array_equal(kept.hounsfield, plain.hounsfield)
    np.testing.assert_array_equal(kept.labels, plain.labels)
    assert asked.count(plain.labels.size) == 1
    assert sum(asked) < (plain.labels.size + computed) / 2, "all but what is carved is looked up"


def test_noise_is_normalized_and_rounded():
    rng = np.random.default_rng(0)
    field = smooth_noise((20, 30, 40), (4, 5, 6), rng)
    assert field.dtype == np.float32
    assert (field.mean(), field.std()) == pytest.approx((0, 1), abs=1e-4)
    assert np.abs(np.diff(field, axis=2)).max() < 1
    image = scanned(np.full((4, 128, 128), 50, np.float32), 10, rng)
    assert image.dtype == np.int16
    assert (image.mean(), image.std()) == pytest.approx((50, 10), abs=0.5)
