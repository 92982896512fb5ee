import numpy as np
import pytest
from scipy import ndimage

from pqcomq.samples import phantom_anatomy
from pqcomq.samples.synthetic_ct import Sample, synthetic_ct

SEEDS = [0, 1]


@pytest.fixture(scope="module", params=SEEDS)
def sample(request, synthetic) -> Sample:
    return synthetic_ct(request.param) if request.param else synthetic


def label_of(sample: Sample, organ: str) -> np.ndarray:
    return sample.labels == next(label for label, name in sample.names.items() if name == organ)


def center_mm(sample: Sample, organ: str) -> np.ndarray:
    """Centre of an organ in world millimetres x y z, LPS."""
    index = np.argwhere(label_of(sample, organ)).mean(axis=0)[::-1]
    return np.array(sample.volume.grid.origin) + index * sample.volume.grid.spacing


@pytest.mark.slow
def test_the_same_seed_draws_the_same_patient_and_another_seed_another():
    first, again, other = synthetic_ct(7), synthetic_ct(7), synthetic_ct(8)
    np.testing.assert_array_equal(first.volume.voxels, again.volume.voxels)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert first.volume.sha256 == again.volume.sha256 != other.volume.sha256
    assert first.boxes == again.boxes != other.boxes


def test_the_belly_s_outline_is_looked_up_and_not_computed_for_every_loop_of_bowel(monkeypatch):
    asked, outline = [], phantom_anatomy.CAVITY

    def counted(x, y, z):
        asked.append(np.broadcast(x, y, z).size)
        return outline(x, y, z)

    monkeypatch.setattr(phantom_anatomy, "CAVITY", counted)
    volume = synthetic_ct(3).labels.size
    assert volume <= sum(asked) < 3 * volume


def test_it_is_a_ct_volume_in_display_order(sample):
    volume = sample.volume
    assert volume.voxels.dtype == np.int16
    assert volume.voxels.shape == sample.labels.shape == volume.grid.shape_zyx == (60, 256, 256)
    assert volume.grid == volume.file_grid
    assert volume.grid.orientation == "LPS"
    assert volume.modality == "CT"
    assert volume.name == "Synthetic abdominal CT"
    assert volume.source is None
    assert -1024 <= volume.voxels.min() < -900
    assert 400 < volume.voxels.max() <= 3071


def test_organs_have_their_place(sample):
    liver, spleen, pancreas = (center_mm(sample, organ) for organ in ("liver", "spleen", "pancreas"))
    right, left = center_mm(sample, "right kidney"), center_mm(sample, "left kidney")
    assert liver[0] < -30 < 30 < spleen[0], "liver on the patient's right (low x), spleen on the left"
    assert right[0] < -30 < 30 < left[0]
    assert right[2] < left[2], "the right kidney lies lower"
    assert min(right[1], left[1]) > pancreas[1] + 15, "kidneys behind the pancreas"
    assert liver[2] > right[2]


def test_organs_are_single_pieces_of_adult_size(sample):
    millilitres = {"liver": (1000, 2000), "right kidney": (120, 250), "left kidney": (120, 250)}
    millilitres |= {"spleen": (80, 300), "pancreas": (50, 130)}
    assert set(sample.names.values()) == set(millilitres)
    for organ, (least, most) in millilitres.items():
        mask = label_of(sample, organ)
        assert ndimage.label(mask)[1] == 1, organ
        assert least < mask.sum() * sample.volume.grid.voxel_millilitres < most, organ


def test_organs_have_their_density(sample):
    hounsfield = {"liver": 112, "right kidney": 180, "left kidney": 180, "spleen": 124, "pancreas": 104}
    for organ, expected in hounsfield.items():
        inside = ndimage.binary_erosion(label_of(sample, organ), np.ones((1, 5, 5)))
        assert np.median(sample.volume.voxels[inside]) == pytest.approx(expected, abs=8), organ
        assert 8 < sample.volume.voxels[inside].std() < 30, organ
    fat, lung = np.mean((sample.volume.voxels > -130) & (sample.volume.voxels < -70)), sample.volume.voxels < -800
    assert fat > 0.1
    assert lung[-1, 100:150, 60:200].any()
    assert not ndimage.binary_opening(lung[0, 70:180, 60:200], np.ones((9, 9))).all()


def test_boxes_are_tight_with_two_voxels_around(sample):
    for label, box in sample.boxes.items():
        z, y, x = np.nonzero(sample.labels == label)
        assert box.checked(sample.labels.shape) is box
        assert (box.x0, box.y0, box.x1, box.y1) == (x.min() - 2, y.min() - 2, x.max() + 2, y.max() + 2)
        assert (box.z0, box.z1) == (z.min(), z.max())


def test_edges_fade_over_a_voxel_or_two(sample):
    """Partial volume: between liver and fat there are voxels of neither."""
    liver = label_of(sample, "liver")
    rim = liver & ~ndimage.binary_erosion(liver, np.ones((1, 3, 3)))
    assert np.percentile(sample.volume.voxels[rim], 20) < 75
