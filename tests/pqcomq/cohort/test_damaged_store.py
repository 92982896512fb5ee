"""A cohort's folder that was damaged: every fault is one sentence, and no number comes of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pqcomq.cohort.cases.case import Case, CaseList, NotScored
from pqcomq.cohort.cases.manifest import manifest_cases
from pqcomq.cohort.cohort_store import FAILED, NOT_SCORED, CohortStore
from pqcomq.cohort.scoring.loaded_models import ModelInfo
from pqcomq.cohort.settings import CohortSettings, ModelFile
from pqcomq.errors import InputError
from pqcomq.volumes.intensity_window import Window

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

CASES = CaseList(
    (
        Case("anna", Path("a.nii"), Path("l.nii"), "p", "s", "CT", Window(40, 400), {1: "spleen"}, (1,), ("spleen",)),
        Case("bert", None, None, synthetic_seed=3),
    ),
    (NotScored("carl", "", "has no labels"),),
    "folder of case folders",
)


@pytest.fixture
def store(tmp_path):
    made = CohortStore(tmp_path / "out")
    settings = CohortSettings("lite-medsam", "", "0" * 64, (ModelFile("w", "1"),), "torch", window=Window(40, 400))
    info = ModelInfo("FP32", "full precision", "LiteMedSAM", 32, 32, 10**6, False, "torch")
    made.begin(settings, CASES, [info])
    made.write_fault(CASES.cases[0], NOT_SCORED, "shows nothing")
    made.write_fault(CASES.cases[1], FAILED, "disk full")
    return made


def test_what_is_whole_comes_back(store):
    assert store.found() == CASES
    assert store.settings().window == Window(40, 400)
    assert [store.is_done(case) for case in CASES.cases] == [False, False]
    assert [each.case for each in store.not_scored()] == ["carl", "anna", "bert"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(format=2), "another version"),
        (lambda c: c.pop("cases"), "damaged.*cases"),
        (lambda c: c.update(models=[]), "models: expected array of length >= 1"),
        (lambda c: c["cases"][0].update(name=7), r"cases\[0\].name: expected str"),
        (lambda c: c["cases"][0].update(window={"level": 1, "width": -1}), "width: expected float > 0"),
        (lambda c: c["cases"][0].update(label_names={"²": "a"}), "damaged"),
        (lambda c: c["cases"][0].update(surprise=1), "unknown field"),
        (lambda c: c["settings"]["protocol"].update(seed=1e300), "seed"),
        (lambda c: c["settings"]["protocol"].update(protocols=[]), "protocols"),
        (lambda c: c["settings"].update(threads=0), "threads"),
    ],
)
def test_a_damaged_plan_is_told(store, change, words):
    path = store.folder / "cohort.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    for call in (store.found, store.settings, store.models, store.scores):
        with pytest.raises(InputError, match=words):
            call()


@pytest.mark.parametrize("text", ["[" * 100_000, "null", '{"format": 1, "cases": ' + "[" * 100_000])
def test_a_plan_that_is_none_is_told(store, text):
    (store.folder / "cohort.json").write_text(text)
    with pytest.raises(InputError, match="damaged"):
        store.found()


@pytest.mark.parametrize("what", ["empty", "cut", "noise", "no rows", "other columns", "two rows"])
def test_a_damaged_row_is_told_with_what_to_do(store, what):
    path = store.folder / "cases" / f"{CASES.cases[0].key}.parquet"
    whole, table = path.read_bytes(), pd.read_parquet(path)
    if what in ("empty", "cut", "noise"):
        path.write_bytes({"empty": b"", "cut": whole[:-50], "noise": bytes(range(256)) * 9}[what])
    else:
        {"no rows": table[:0], "other columns": table[["case"]], "two rows": pd.concat([table, table])}[
            what
        ].to_parquet(path)
    for call in (store.cases, store.not_scored, lambda: store.is_done(CASES.cases[0])):
        with pytest.raises(InputError, match="remove it"):
            call()


@pytest.mark.parametrize("text", ["[" * 5000, "7", '[["a"]]', '[["a", 3]]', "{}"])
def test_damaged_text_in_a_row_is_told(store, text):
    path = store.folder / "cases" / f"{CASES.cases[0].key}.parquet"
    pd.read_parquet(path).assign(labels_not_scored=text).to_parquet(path)
    with pytest.raises(InputError, match="remove it"):
        store.not_scored()


@pytest.mark.parametrize("what", ["noise", "pickle", "no arrays", "nested"])
def test_damaged_pictures_are_told_and_run_nothing(store, what):
    path = store.folder / "pictures" / f"{CASES.cases[0].key}.npz"
    head = {"model": "m", "label": "l", "z": 1, "loss": 0.1, "box": [0, 0, 1, 1], "spacing_yx": [1, 1]}
    if what == "noise":
        path.write_bytes(b"PK" + bytes(200))
    else:
        kept = {"no arrays": json.dumps([head]), "nested": "[" * 5000, "pickle": "[]"}[what]
        array = np.array(kept) if what != "pickle" else np.array([{"a": 1}], dtype=object)
        np.savez(path, heads=array)
    with pytest.raises(InputError, match="damaged"):
        store.pictures("anna")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("anna,a.nii,l.nii,²", "no label number"),
        ("anna,a.nii,l.nii,99999999999", "no label number"),
        (f"{'a' * 20_000},a.nii,l.nii,1", "no text that a manifest may hold"),
    ],
    ids=["raised two", "huge number", "long name"],
)
def test_odd_rows_of_a_manifest_are_told(tmp_path, row, words):
    path = tmp_path / "cases.csv"
    path.write_text(f"case,image,labels,label_numbers\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        manifest_cases(path)


@pytest.mark.parametrize("content", [b"PAR1" + bytes(40), b"\xff\xfe\x00", b'case,image\n"a', b"", b"PAR1"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_no_table_is_told(tmp_path, content, suffix):
    path = tmp_path / f"cases{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        manifest_cases(path)
