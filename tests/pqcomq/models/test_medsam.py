"""MedSAM ViT-B from a checkpoint in its format; the weights are random, so nothing is said about its masks' worth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pqcomq.models.medsam import architecture
from pqcomq.models.registry import load_model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("medsam") / "medsam_vit_b.pth"
    torch.save(architecture().state_dict(), path)
    return path


@pytest.mark.slow
def test_a_vit_b_checkpoint_loads_and_runs_end_to_end(checkpoint):
    medsam = load_model("medsam", checkpoint)
    assert medsam.title == "MedSAM ViT-B"
    embedding = medsam.encode(np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8))
    assert embedding.features.shape == (1, 256, 64, 64)
    masks = medsam.decode(embedding, np.array([[10, 10, 40, 50], [0, 0, 79, 59]]))
    assert masks.shape == (2, 60, 80)
    assert masks.dtype == bool
