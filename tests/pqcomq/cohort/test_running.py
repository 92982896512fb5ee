"""A cohort from its files to its rows: the same whoever computes them, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import SimpleITK as sitk

from pqcomq.cohort import cohort_store
from pqcomq.cohort.cases.case import Case, CaseList
from pqcomq.cohort.cases.case_files import files_sha256
from pqcomq.cohort.cases.find_cases import find_cases, synthetic_cases
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.cohort_store import FAILED, NOT_SCORED, SCORED, CohortStore
from pqcomq.cohort.running import case_task, cluster, run
from pqcomq.cohort.running.case_task import RunStoppedError
from pqcomq.cohort.running.run import Workers, running, shard_of
from pqcomq.cohort.scoring.loaded_models import ModelInfo, models_of
from pqcomq.cohort.scoring.score_case import score_case
from pqcomq.cohort.scoring.score_rows import CaseResult
from pqcomq.cohort.settings import CaseRecipe, CohortProtocol, CohortSettings
from pqcomq.comparison.evaluate import Protocol
from pqcomq.errors import InputError
from pqcomq.progress import finished

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

ONE = Workers(1)


@pytest.fixture(scope="session")
def ran(cases, quick, tmp_path_factory):
    """The three cases in one process; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("ran") / "out"
    finished(running(cases, quick, folder, ONE))
    return folder


def same(one, other):
    """Whether two runs have the same rows to the last digit."""
    pd.testing.assert_frame_equal(CohortStore(one).scores(), CohortStore(other).scores(), check_exact=True)


def test_rows_of_every_model_with_what_was_left_out(ran):
    result = CohortResult.at(ran)
    rows = result.scores
    assert (result.scored, result.total, result.unfinished) == (3, 3, 0)
    assert rows["case"].unique().tolist() == ["anna", "bert", "carl"]
    assert rows["model"].tolist()[:3] == ["FP32", "FP32, box moved", "4-bit Round to nearest"]
    assert rows["label"].unique().tolist() == ["blob"]
    assert {(each.label, each.reason) for each in result.not_scored} == {
        ("label 7", "no slice has at least 20 voxels of it")
    }
    full, moved, quantized = (rows[rows["role"] == role] for role in rows["role"].unique())
    assert full["dice_between_models"].isna().all() and full["doubt_stability"].isna().all()
    assert moved["dice_between_models"].between(0, 1).all()
    assert quantized["doubt_stability"].between(0, 1).all()
    assert (rows["ground_truth_ml"] > 0).all()


def test_a_gate_judges_the_cascade_that_is_to_be_used(ran, capsys):
    from pqcomq.cli import main

    def gate(*options):
        with pytest.raises(SystemExit) as end:
            main(["gate", str(ran), "--json", *map(str, options)])
        return end.value.code, json.loads(capsys.readouterr().out)

    status, alone = gate()
    assert status == 3  # three patients decide nothing
    status, told = gate("--cascade", 1)
    assert (status, list(told["cascade_below"].values()), list(told["sent_on"].values())) == (3, [1.0], [1.0])
    assert {each["difference"] for each in told["verdicts"]} == {0.0}
    assert told["verdicts"][0]["model"] == f"{alone['verdicts'][0]['model']}, cascade at 1"
    _status, others = gate("--cascade", ran)
    assert list(others["cascade_below"].values()) == [None], "each patient's was chosen on the others"
    assert others["verdicts"][0]["model"].endswith("cascade at other patients' threshold")
    for odd in ("2", ran.parent):
        with pytest.raises(SystemExit) as end:
            main(["gate", str(ran), "--cascade", str(odd)])
        assert end.value.code == 2
        assert re.search("lies from 0 to 1|holds no cohort's results", capsys.readouterr().err)
    _status, never = gate("--cascade", 0)
    assert [each["difference"] for each in never["verdicts"]] == [each["difference"] for each in alone["verdicts"]]


def test_a_slice_goes_through_each_encoder_once(quick, cases, finish):
    both = replace(quick, protocol=CohortProtocol(most_slices=2))
    result = finish(score_case(cases.cases[0], both, models_of(quick)))
    assert [(cost.encodings, cost.distinct_slices) for cost in result.costs] == [(6, 6), (6, 6)]
    organs = [row for row in result.rows if row["protocol"] == "organ"]
    assert [row["slice"] for row in organs] == [-1, -1, -1]
    assert all(np.isfinite(row["hd95_mm_against_ground_truth"]) for row in organs)
    worst = result.pictures[0]
    assert worst.pixels.shape == worst.full.shape == worst.quantized.shape == (96, 96)


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_table(cases, quick, ran, tmp_path):
    work = running(cases, quick, tmp_path / "out", ONE)
    for progress in work:
        if progress.step == 1:
            break
    work.close()
    assert CohortResult.at(tmp_path / "out").scored == 1
    outcomes = finished(running(cases, quick, tmp_path / "out", ONE))
    assert [each.case for each in outcomes] == ["bert", "carl"]
    same(ran, tmp_path / "out")
    assert finished(running(cases, quick, tmp_path / "out", ONE)) == []


def test_shards_end_with_the_same_table(cases, quick, ran, tmp_path):
    for part in (2, 1):
        finished(running(cases, quick, tmp_path / "out", Workers(1, shard=shard_of(f"{part}/2"))))
    same(ran, tmp_path / "out")


def test_a_label_that_a_case_has_not_is_listed_and_its_others_are_scored(phantoms, quick, tmp_path):
    shutil.copytree(phantoms / "anna", tmp_path / "data" / "anna")
    (tmp_path / "data" / "labels.json").write_text('{"1": "blob", "2": "tumour"}')
    finished(running(find_cases(tmp_path / "data", ["blob", "tumour"]), quick, tmp_path / "out", ONE))
    result = CohortResult.at(tmp_path / "out")
    assert result.scores["label"].unique().tolist() == ["blob"]
    assert [(each.label, each.reason) for each in result.not_scored] == [("tumour", "the case has no such label")]


@pytest.mark.slow
def test_several_workers_end_with_the_same_table(cases, quick, ran, tmp_path):
    pytest.importorskip("distributed")
    told = [each.text for each in running(cases, quick, tmp_path / "out", Workers(2))]
    assert told[0] == "2 workers"
    same(ran, tmp_path / "out")


@pytest.mark.slow
def test_lost_workers_are_replaced_and_the_table_is_the_same(cases, quick, ran, tmp_path):
    pytest.importorskip("distributed")
    work, killed = running(cases, quick, tmp_path / "out", Workers(2)), []
    for progress in work:
        if progress.text.endswith(SCORED) and not killed:
            below = psutil.Process().children(recursive=True)
            killed = [each for each in below if "spawn_main" in " ".join(each.cmdline())]
            for each in killed:
                each.kill()
    assert len(killed) == 2, "the second in the middle of a case"
    same(ran, tmp_path / "out")


@pytest.mark.slow
def test_a_killed_client_loses_no_finished_case(cases, quick, ran, rounded, phantoms, tmp_path):
    out = tmp_path / "out"
    command = ["cohort", phantoms, "--weights", rounded, "--most-slices", "1", "--prompted-by", "slice"]
    command += ["--runtime", quick.runtime]
    command = [sys.executable, "-m", "pqcomq.cli", *map(str, command), "--workers", "1", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not list((out / "cases").glob("*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = CohortResult.at(out).scored
    assert 1 <= before <= 3
    assert len(finished(running(cases, quick, out, ONE))) == 3 - before
    same(ran, out)


def test_a_bad_case_is_kept_with_its_reason_and_the_rest_goes_on(cases, quick, tmp_path, monkeypatch):
    gone = replace(cases.cases[0], name="gone", image=tmp_path / "gone.nii.gz")
    odd = replace(cases.cases[0], name="odd")
    original = case_task.score_case

    def scored(case, *others):
        if case.name == "odd":
            raise IndexError(f"of {case.image}")
        return (yield from original(case, *others))

    monkeypatch.setattr(case_task, "score_case", scored)
    found = CaseList((cases.cases[0], gone, odd))
    outcomes = finished(running(found, quick, tmp_path / "out", ONE))
    assert [each.status for each in outcomes] == [SCORED, NOT_SCORED, FAILED]
    told = {each.case: each.reason for each in CohortResult.at(tmp_path / "out").not_scored}
    assert str(tmp_path) not in told["gone"] and "the image" in told["gone"]
    assert told["odd"].startswith("IndexError in test_running.py: of the image")
    monkeypatch.undo()
    gone.image.write_bytes(cases.cases[0].image.read_bytes())
    assert [each.status for each in finished(running(found, quick, tmp_path / "out", ONE))] == [SCORED, SCORED]
    assert CohortResult.at(tmp_path / "out").scored == 3


def test_a_full_disk_stops_the_run_with_one_sentence(cases, quick, tmp_path, monkeypatch):
    def full(self, *_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CohortStore, "_write", full)
    with pytest.raises(RunStoppedError, match=r"No space left.*the same command goes on"):
        finished(running(cases, quick, tmp_path / "out", ONE))


def test_another_cohort_in_the_folder_is_refused(cases, quick, ran):
    with pytest.raises(InputError, match="was run with most_slices 1, not 3"):
        finished(running(cases, replace(quick, protocol=replace(quick.protocol, most_slices=3)), ran, ONE))
    with pytest.raises(InputError, match="other weights files"):
        other = (replace(quick.quantized[0], fingerprint="0"),)
        CohortStore(ran).begin(replace(quick, quantized=other), cases, [])


def test_a_case_that_is_to_be_scored_otherwise_is_refused_and_not_taken_as_done(cases, quick, ran):
    first, *others = cases.cases

    def go_on(changed):
        return finished(running(CaseList((changed, *others)), quick, ran, ONE))

    for changed, told in (
        (replace(first, asked=("blob",)), "other labels asked for"),
        (replace(first, modality="MR"), "another modality"),
        (replace(first, labels=first.image), "other files"),
    ):
        with pytest.raises(InputError, match=f"results of the case 'anna' with {told}; choose another folder"):
            go_on(changed)
    gone = first.image.parent.parent / "moved away" / "image.nii.gz"
    assert go_on(replace(first, image=gone)) == []
    assert go_on(first) == []


def test_cases_may_be_called_another_patient_s_and_the_tables_go_by_that(cases, quick, ran, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(ran, out)
    before = CohortStore(out).scores()
    regrouped = CaseList(tuple(replace(case, patient="P1", site="here") for case in cases.cases))
    assert finished(running(regrouped, quick, out, ONE)) == []
    for table in (CohortStore(out).scores(), CohortStore(out).cases()):
        assert (set(table["patient"]), set(table["site"])) == ({"P1"}, {"here"})
    whose = ["patient", "site"]
    pd.testing.assert_frame_equal(
        CohortStore(out).scores().drop(columns=whose), before.drop(columns=whose), check_exact=True
    )
    left_out = replace(quick, recipes=(CaseRecipe("rtn", 4, "leave-one-out"),))
    content = json.loads((out / cohort_store.MANIFEST).read_text(encoding="utf-8"))
    (out / cohort_store.MANIFEST).write_text(json.dumps({**content, "settings": left_out.to_dict()}), encoding="utf-8")
    for done in (True, False):
        with pytest.raises(InputError, match="calibrated when the case 'anna' was another patient's; choose another"):
            CohortStore(out).check(left_out, cases.cases)
        if done:
            (out / "cases" / f"{cases.cases[0].key}.parquet").unlink()


INFO = ModelInfo("FP32", "full precision", "LiteMedSAM", 32, 32, 10**6, False, "torch")


def test_results_of_one_dicom_folder_are_not_taken_for_those_of_another(ct_series, tmp_path):
    labels, settings = tmp_path / "labels.nii.gz", CohortSettings("lite-medsam", "", "", (), "torch")
    labels.write_bytes(b"labels")
    case, store = Case("anna", ct_series, labels), CohortStore(tmp_path / "out")
    store.begin(settings, CaseList((case,)), [INFO])
    row = {"case": "anna", "protocol": "slice", "label_number": 1, "slice": 0, "model": "FP32"}
    rest = ("CT", "0" * 64, files_sha256(case), (), 0.1, 2.0, 10**6)
    store.write(CaseResult(case, (row,), (), (), (), *rest))
    shutil.copytree(ct_series, tmp_path / "moved")
    other = replace(case, image=tmp_path / "moved")
    store.check(settings, [other])
    (tmp_path / "moved" / "0.dcm").unlink()
    with pytest.raises(InputError, match="results of the case 'anna' with other files"):
        store.check(settings, [other])


def test_models_that_left_one_out_are_not_taken_for_those_of_a_larger_cohort(tmp_path):
    recipes = (CaseRecipe("rtn", 4, "leave-one-out"),)
    settings = CohortSettings("lite-medsam", "", "", (), "torch", recipes=recipes)
    store, three = CohortStore(tmp_path / "out"), synthetic_cases(3)
    store.begin(settings, three, [INFO])
    store.check(settings, three.cases)
    for cases in (synthetic_cases(4).cases, three.cases[:2]):
        with pytest.raises(InputError, match="calibrated on the other patients of a cohort of other cases"):
            store.check(settings, cases)
    own = replace(settings, recipes=(CaseRecipe("rtn", 4, "own"),))
    (tmp_path / "own").mkdir()
    CohortStore(tmp_path / "own").begin(own, three, [INFO])
    CohortStore(tmp_path / "own").check(own, synthetic_cases(4).cases)


def test_a_case_whose_labels_were_corrected_is_scored_again(phantoms, quick, tmp_path):
    shutil.copytree(phantoms, tmp_path / "data")
    anna, bert, _carl = find_cases(tmp_path / "data").cases
    found, out = CaseList((anna,)), tmp_path / "out"
    finished(running(found, quick, out, ONE))
    anna.labels.write_bytes(anna.labels.read_bytes())  # touched, and the same
    assert finished(running(found, quick, out, ONE)) == []
    before = CohortStore(out).scores()
    anna.labels.write_bytes(bert.labels.read_bytes())
    assert [each.case for each in finished(running(found, quick, out, ONE))] == ["anna"]
    assert not CohortStore(out).scores().equals(before)
    assert finished(running(found, quick, out, ONE)) == []


def test_weights_that_changed_meanwhile_are_refused(quick):
    with pytest.raises(InputError, match="holds other weights than those that the cohort was begun with"):
        models_of(replace(quick, quantized=(replace(quick.quantized[0], fingerprint="0"),)))


def test_settings_survive_json(quick):
    assert CohortSettings.from_dict(json.loads(json.dumps(quick.to_dict()))) == quick
    assert quick.difference(replace(quick, checkpoint="elsewhere")) is None


def test_other_versions_of_what_computes_are_told_and_files_from_before_they_were_kept_are_read():
    settings = CohortSettings("lite-medsam", "", "", (), "torch")
    assert f"torch {version('torch')}" in settings.libraries
    newer = replace(settings, libraries="torch 99.0")
    assert newer.difference(settings) == f"libraries {settings.libraries}, not torch 99.0"
    content = newer.to_dict()
    del content["libraries"]
    older = CohortSettings.from_dict(content)
    assert older.difference(settings) is None and settings.difference(older) is None


def test_a_scheduler_that_does_not_answer_is_told_before_anything_is_made(tmp_path, monkeypatch, capsys):
    pytest.importorskip("distributed")
    monkeypatch.setattr("pqcomq.cohort.running.cluster.ANSWER_WITHIN", "1s")
    nowhere, out = Workers(scheduler="tcp://127.0.0.1:9"), tmp_path / "out"
    monkeypatch.setattr("pqcomq.models.registry.load_model", lambda *_: pytest.fail("a model was loaded first"))
    settings = CohortSettings("lite-medsam", "", "", (), "torch", recipes=(CaseRecipe("rtn", 4, "own"),))
    with pytest.raises(InputError, match="no scheduler answers there"):
        list(running(synthetic_cases(5), settings, out, nowhere))
    assert not out.exists()
    from pqcomq.cli import main

    with pytest.raises(SystemExit):
        main(["cohort", "--synthetic", "5", "--scheduler", nowhere.scheduler, "--out", str(tmp_path / "other")])
    assert "no scheduler answers there" in capsys.readouterr().err


def test_a_model_that_takes_no_boxes_is_told_before_it_is_quantized(tmp_path, monkeypatch, capsys):
    def refuse(_kinds):
        raise InputError("It was not trained for boxes.")

    only_scribbles = SimpleNamespace(title="scribbles", check_prompts=refuse)
    monkeypatch.setattr("pqcomq.models.registry.load_model", lambda *_: only_scribbles)
    monkeypatch.setattr(
        "pqcomq.cohort.running.cohort_weights.making_weights", lambda *_: pytest.fail("quantized first")
    )
    from pqcomq.cli import main

    with pytest.raises(SystemExit) as end:
        main(["cohort", "--synthetic", "5", "--bits", "8", "--out", str(tmp_path / "out")])
    assert end.value.code == 2 and "not trained for boxes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_more_and_larger_models_are_given_fewer_workers(monkeypatch):
    monkeypatch.setattr(run.os, "sched_getaffinity", lambda _process: range(16), raising=False)
    monkeypatch.setattr(run.psutil, "virtual_memory", lambda: SimpleNamespace(available=14 * 2**30))
    lite, vit_b, vit_h = 39_400_000, 375_000_000, 2_560_000_000  # bytes of their checkpoints
    assert run.usual_workers(100, 1, 4, lite) == 4
    assert run.usual_workers(100, 1, 10, lite) == 2
    assert run.usual_workers(100, 8, 4, lite) == 2
    assert run.usual_workers(1, 1, 4, lite) == run.usual_workers(100, 1, 40, lite) == 1
    assert run.usual_workers(100, 1, 2, vit_b) == 2
    assert run.usual_workers(100, 1, 2, vit_h) == 1


def test_parts_that_are_none():
    with pytest.raises(InputError, match="write i/n"):
        shard_of("two")
    with pytest.raises(InputError, match="name one of n parts"):
        Workers(shard=(3, 2))
    with pytest.raises(InputError, match="at least one worker"):
        Workers(0)


def test_a_single_slice_is_the_middle_one():
    mask = np.zeros((30, 20, 20), bool)
    mask[5:26, 2:18, 2:18] = True
    assert Protocol(most_slices=1).slices(mask) == [15]


def test_names_of_files_tell_nothing_of_a_patient(ran):
    names = [path.name for path in ran.rglob("*") if path.is_file()]
    assert not any(name in each for each in names for name in ("anna", "bert", "carl"))
    assert cohort_store.MANIFEST in names


def test_a_moved_box_is_drawn_by_case_and_slice_alone(quick, cases, finish):
    moved = replace(quick, protocol=replace(quick.protocol, jitter_pixels=4))
    first = [finish(score_case(cases.cases[0], moved, models_of(moved))).rows for _ in range(2)]
    assert str(first[0]) == str(first[1])
    still = finish(score_case(cases.cases[0], quick, models_of(quick))).rows
    assert first[0][0]["dice_against_ground_truth"] != still[0]["dice_against_ground_truth"]


@pytest.mark.slow
def test_two_workers_quantize_for_each_case_and_one_goes_on_with_the_same_numbers(cases, quick, tmp_path):
    pytest.importorskip("distributed")
    really = replace(quick, recipes=(CaseRecipe("rtn", 4, "own"),))
    two = CaseList(cases.cases[:2])
    finished(running(two, really, tmp_path / "out", Workers(2)))
    first = CohortStore(tmp_path / "out").scores()
    for path in (tmp_path / "out" / "cases").glob("*.parquet"):
        path.unlink()
    finished(running(two, really, tmp_path / "out", ONE))
    pd.testing.assert_frame_equal(CohortStore(tmp_path / "out").scores(), first, check_exact=True)
    assert len(first) == 2 * 4  # full precision, its moved box, the common file, and what was made


def test_a_second_run_in_the_same_folder_is_told_and_shards_share_it(cases, quick, tmp_path):
    def refusal(workers):
        with pytest.raises(InputError) as caught:
            next(running(cases, quick, tmp_path, workers))
        return str(caught.value)

    told = str(InputError("Another run is writing there; wait for its end, or choose another place.", tmp_path))
    whole = running(cases, quick, tmp_path, ONE)
    next(whole)
    assert (refusal(ONE), refusal(Workers(1, shard=(1, 2)))) == (told, told)
    whole.close()
    first, second = (running(cases, quick, tmp_path, Workers(1, shard=(each, 2))) for each in (1, 2))
    next(first), next(second)
    assert (refusal(ONE), refusal(Workers(1, shard=(2, 2)))) == (told, told)
    first.close(), second.close()
    assert not [each.name for each in tmp_path.iterdir() if each.name.endswith(".lock")]


def test_a_scheduler_that_is_lost_in_the_middle_is_told_in_a_sentence():
    client = pytest.importorskip("distributed.client")

    def lost():
        raise client.FutureCancelledError("score_and_land-1", "scheduler-connection-lost", "Please re-run your work.")

    # As a client does whose scheduler was killed: every future is cancelled.
    with pytest.raises(RunStoppedError, match=r"scheduler was lost, .*; the same command goes on"):
        cluster.Cluster(SimpleNamespace(dashboard_link=""))._outcome(SimpleNamespace(result=lost), "anna")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, "the scheduler has no workers"),
        ({"one": {"pqcomq": "0.0.1"}}, r"a worker runs pqcomq 0\.0\.1, not \d.* as here"),
        ({"one": {"libraries": "torch 1.0"}}, r"a worker runs libraries torch 1\.0, not .*torch .* as here"),
        ({"one": {"libraries": None}}, r"a worker runs libraries an unknown one, not .*torch"),
        ({"one": {}, "two": {"Python": "2.7"}}, r"a worker runs Python 2\.7, not \d.* as here"),
        (ModuleNotFoundError("No module named 'pqcomq'"), r"its workers lack pqcomq \d"),
    ],
)
def test_workers_that_will_not_do_are_told_before_any_work(answer, told):
    def run(asked):
        if isinstance(answer, Exception):
            raise answer
        answers = {name: {**asked(), **other} for name, other in answer.items()}
        return {name: {what: told for what, told in each.items() if told} for name, each in answers.items()}

    with pytest.raises(InputError, match=rf"--scheduler tcp://node1:8786: .*{told}"):
        cluster._check_workers(SimpleNamespace(run=run), "tcp://node1:8786")


def test_what_is_odd_about_labels_is_kept_beside_what_is_odd_about_the_image(phantoms, tmp_path, quick):
    shutil.copytree(phantoms / "anna", tmp_path / "anna")
    labels = sitk.ReadImage(str(tmp_path / "anna" / "labels.nii.gz"))
    labels.SetOrigin([place + 0.1 for place in labels.GetOrigin()])
    sitk.WriteImage(labels, str(tmp_path / "anna" / "labels.nii.gz"))
    (case,) = find_cases(tmp_path).cases
    result = finished(score_case(case, quick, []))
    assert any("The labels lie up to 0.17 mm beside the volume's voxels" in each for each in result.notes)
