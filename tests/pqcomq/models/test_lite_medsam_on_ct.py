"""The whole way from a real CT to masks, against accuracies known for the authors' pipeline."""

from __future__ import annotations

import pytest

from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.evaluate import evaluate
from pqcomq.volumes.labels.label_maps import read_labels
from pqcomq.volumes.volume_reader import read_volume


@pytest.mark.slow
def test_full_precision_reaches_its_known_accuracy_on_a_real_ct(real_data, lite_medsam, finish):
    volume = read_volume(real_data / "abdomen_ct.nii.gz")
    labels = read_labels(real_data / "abdomen_ct_labels.nii.gz", volume)
    evaluation = finish(evaluate(volume, labels, [1, 2, 3, 5, 6, 7], [ComparedModel.full(lite_medsam)]))
    assert len(evaluation.prompts) == 44
    (summary,) = evaluation.summaries
    assert summary.dice == pytest.approx(0.913, abs=0.003)
    by_organ = {1: 0.968, 2: 0.952, 3: 0.939, 5: 0.890, 6: 0.928, 7: 0.687}
    assert summary.dice_by_label == pytest.approx(by_organ, abs=0.01)
