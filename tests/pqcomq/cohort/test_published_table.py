"""The paper's table beside a cohort's rows: which of them stand for which."""

from __future__ import annotations

from types import SimpleNamespace

from pqcomq.cohort.settings import CohortProtocol
from pqcomq.cohort.statistics.published_table import differences_to_the_paper, published_rows

FULL, OURS = "FP32", "4-bit Permutation-COMQ, OpenVINO FP32"
PAPER = "4-bit Permutation-COMQ as published, OpenVINO FP32"


def told(*names):
    """Rows and sentences of a cohort with these models, each with its number for Dice."""
    figures = {"nsd": 0.5, "worst_decile": 0.4, "worst_dice": 0.3, "losing": 0.0, "strata": ()}
    summaries = [
        SimpleNamespace(protocol="slice", model=name, dice=index / 100, **figures) for index, name in enumerate(names)
    ]
    settings = SimpleNamespace(model="medsam", protocol=CohortProtocol())
    result = SimpleNamespace(settings=settings, models=[SimpleNamespace(name=name) for name in names], scored=2)
    statistics = SimpleNamespace(prompts=summaries, decided_by="slice")
    rows = {(row.bits, row.method): row.dice for row in published_rows(result, statistics)}
    return rows, " ".join(differences_to_the_paper(result, statistics))


def test_a_method_as_published_stands_beside_the_paper_s_row():
    rows, sentences = told(FULL, OURS, PAPER)
    assert rows[4, "Permutation-COMQ"] == 2
    assert "goes beyond the published method" in sentences and "have a scale an output channel" in sentences


def test_this_program_s_own_settings_are_told_to_be_others():
    rows, sentences = told(FULL, OURS)
    assert rows[4, "Permutation-COMQ"] == 1
    assert "--published takes the papers' settings" in sentences and "have a scale an output channel" not in sentences


def test_nothing_differs_in_method_where_all_are_as_published():
    rows, sentences = told(FULL, PAPER)
    assert rows[4, "Permutation-COMQ"] == 1
    assert "goes beyond" not in sentences
