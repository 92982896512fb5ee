"""What was corrected is counted, taken back, and goes into the masks that are written."""

from __future__ import annotations

import numpy as np

from napari_pqcomq.layers.discs import disc_along
from napari_pqcomq.results.held.corrections import Corrections, Effort, worked_seconds
from napari_pqcomq.viewer.comparison.correction_tool import Painted


def stroke(before, after, *, side=1, z=4, number=1, began=0.0, ended=1.0):
    return Painted(side, number, z, before, after, began, ended)


def test_voxels_and_seconds_are_counted_for_each_side_and_object():
    corrections, empty = Corrections(), np.zeros((8, 8), np.uint8)
    assert not corrections
    mask = empty.copy()
    mask[2:4, 2:4] = 1
    more = mask.copy()
    more[4, 2:6] = 1  # four added
    less = more.copy()
    less[2, 2:4] = 0  # two removed
    corrections.note(stroke(mask, more, began=0, ended=2))
    corrections.note(stroke(more, less, began=5, ended=6))
    assert corrections.effort(1, 1) == Effort(4, 2, 6.0, 2)
    assert corrections.effort(1, 1).voxels == 6
    assert corrections.effort(0, 1) == Effort(0, 0, 0.0, 0), "the other side was not touched"
    whole = np.zeros((9, 8, 8), bool)
    whole[4] = mask == 1
    corrected = corrections.corrected(1, 1, whole)
    assert corrected.sum() == 4 + 6 - 4
    assert np.array_equal(corrected[4], less == 1)
    assert corrections.corrected(0, 1, whole) is whole


def test_what_is_painted_and_taken_away_again_is_no_change():
    corrections, empty = Corrections(), np.zeros((4, 4), np.uint8)
    full = np.ones((4, 4), np.uint8)
    corrections.note(stroke(empty, full))
    corrections.note(stroke(full, empty, began=2, ended=3))
    assert corrections.effort(1, 1).voxels == 0
    assert corrections.effort(1, 1).seconds == 3.0, "but it took its time"


def test_strokes_are_taken_back_one_by_one():
    corrections, first = Corrections(), np.zeros((4, 4), np.uint8)
    second, third = first.copy(), first.copy()
    second[0], third[:2] = 1, 1
    corrections.note(stroke(first, second))
    corrections.note(stroke(second, third))
    assert corrections.undo().before is second
    assert corrections.effort(1, 1).voxels == 4
    assert corrections.undo().before is first
    assert corrections.effort(1, 1).voxels == 0
    assert corrections.undo() is None
    assert not corrections.can_undo
    assert corrections.redo().after is second
    assert corrections.effort(1, 1).voxels == 4
    assert corrections.can_redo
    corrections.note(stroke(second, first))
    assert not corrections.can_redo, "a new stroke takes the place of those taken back"


def test_a_stroke_is_taken_back_without_what_other_objects_are_since():
    corrections, empty = Corrections(), np.zeros((4, 4), np.uint8)
    one, both = empty.copy(), empty.copy()
    one[0], both[0], both[3] = 1, 1, 2
    corrections.note(stroke(empty, one))
    corrections.note(stroke(one, both, number=2))
    corrections.forget(2)  # its box was moved
    corrections.undo()
    assert [(side, z, changed.any()) for side, z, changed, _now in corrections.changes()] == [(1, 4, False)]
    corrections.redo()
    ((_side, _z, changed, now),) = corrections.changes()
    assert np.array_equal(changed, one == 1) and np.array_equal(now, one)


def test_what_was_corrected_on_a_box_that_has_moved_is_forgotten_but_nothing_else():
    corrections, empty = Corrections(), np.zeros((4, 4), np.uint8)
    one = empty.copy()
    one[0] = 1
    both = one.copy()
    both[3] = 2
    corrections.note(stroke(empty, one, number=1))
    corrections.note(stroke(one, both, number=2))
    corrections.forget(1)
    assert list(corrections.worked_on()) == [(1, 2)]
    assert corrections.effort(1, 2).added == 4
    assert corrections.effort(1, 1).voxels == 0


def test_long_pauses_are_no_work():
    assert worked_seconds([]) == 0
    assert worked_seconds([(0, 1), (11, 12), (22.5, 23)]) == 1 + 10 + 1 + 0.5


def test_a_disc_is_round_in_millimetres_and_leaves_no_gap_on_its_way():
    patch, inside = disc_along(np.array([10.0, 10.0]), np.array([10.0, 10.0]), 4.0, (2.0, 1.0), (20, 20))
    assert (inside.any(axis=1).sum(), inside.any(axis=0).sum()) == (5, 9), "± 4 mm of 2 mm rows and 1 mm columns"
    patch, inside = disc_along(np.array([2.0, 2.0]), np.array([17.0, 17.0]), 1.0, (1.0, 1.0), (20, 20))
    way = np.zeros((20, 20), bool)
    way[patch] = inside
    assert all(way[i, i] for i in range(2, 18))
    patch, inside = disc_along(np.array([0.0, 0.0]), np.array([0.0, 0.0]), 0.1, (2.0, 2.0), (20, 20))
    assert inside[0, 0], "the voxel under the mouse, however small the disc"
    assert disc_along(np.array([-9.0, 5.0]), np.array([-9.0, 5.0]), 2.0, (1.0, 1.0), (20, 20)) is None
