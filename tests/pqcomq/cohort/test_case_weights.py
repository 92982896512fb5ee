"""Models that are quantized for each case anew, and one model on several runtimes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pqcomq.backends.runtime import Runtime
from pqcomq.cohort.cases.case import CaseList
from pqcomq.cohort.cases.read_case import volume_of
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.cohort_store import NOT_SCORED, CohortStore
from pqcomq.cohort.running import case_weights
from pqcomq.cohort.running.case_weights import calibration_of
from pqcomq.cohort.running.prepare import recipes_of, settings_of
from pqcomq.cohort.running.run import Workers, running
from pqcomq.cohort.settings import CohortProtocol, CohortSettings
from pqcomq.errors import InputError
from pqcomq.progress import Progress, finished
from pqcomq.quantization.files.weights_file import load_weights, save_weights

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

ONE_SLICE = CohortProtocol(most_slices=1, protocols=("slice",))


@pytest.fixture(scope="module")
def settings(cases, rounded):
    """A file that serves all cases, and two models for each case."""
    return settings_of(
        [rounded],
        recipes=recipes_of(cases, ["rtn"], [4], ["own", "leave-one-out"]),
        runtime=Runtime.torch,
        protocol=ONE_SLICE,
    )


@pytest.fixture(autouse=True, scope="module")
def quickly_made(rounded):
    """Weights files that say what they were calibrated on, and hold what was rounded once for all tests."""
    model = load_weights(rounded)

    def made_file(path, _full, slices, _config):
        yield Progress(1, 1, "layer")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_weights(replace(model, calibration=slices.description), path, overwrite=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(case_weights, "made_file", made_file)
        yield


@pytest.fixture(scope="module")
def two(cases):
    """The first two cases: enough for one to be left out."""
    return CaseList(cases.cases[:2], layout=cases.layout)


@pytest.fixture(scope="module")
def swept(two, settings, quickly_made, tmp_path_factory):
    """All of it, run in one process; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    finished(running(two, settings, folder, Workers(1)))
    return folder


def hashes(calibration):
    return [each["voxels_sha256"] for each in calibration.description["volumes"]]


def test_every_case_is_judged_on_models_of_its_own_beside_the_common_one(swept, two):
    result = CohortResult.at(swept)
    common, own, others = "4-bit Round to nearest", "4-bit Round to nearest, own volume", ", other patients"
    assert [each.name for each in result.models] == ["FP32", common, own, f"{common}{others}"]
    table = result.scores
    for name in (common, own, f"{common}{others}"):
        assert table.loc[table["model"] == name, "case"].tolist() == [case.name for case in two.cases]
    costs = result.costs
    assert (costs.loc[costs["model"] == "FP32", "encodings"] == 1).all()  # once for all three


def test_weights_files_of_a_case_name_what_they_were_calibrated_on(swept, cases, settings):
    case = cases.cases[0]
    own = load_weights(swept / "weights" / f"own-{case.key}-rtn-4bit.safetensors")
    assert [each["voxels_sha256"] for each in own.calibration["volumes"]] == [volume_of(case, None).sha256]
    assert len(list((swept / "weights").glob("*.safetensors"))) == 4


def test_leave_one_out_sees_all_patients_but_one(cases, settings):
    for case in cases.cases:
        seen = hashes(calibration_of(case, "leave-one-out", settings, cases.cases))
        others = {volume_of(each, None).sha256 for each in cases.cases if each.name != case.name}
        assert set(seen) == others and len(seen) == 2


def test_all_cases_of_a_patient_are_left_out_together(cases, settings):
    first, second, third = cases.cases
    both = [replace(first, patient="P"), replace(second, patient="P"), third]
    assert hashes(calibration_of(both[0], "leave-one-out", settings, both)) == [volume_of(third, None).sha256]


def test_a_case_s_own_model_is_made_again_when_its_image_is_another(two, settings, lite_medsam, tmp_path):
    own = replace(settings, recipes=tuple(each for each in settings.recipes if each.calibrated_on == "own"))
    case, other = two.cases
    path = tmp_path / "weights" / f"own-{case.key}-rtn-4bit.safetensors"
    for shown, image in (
        (case, case.image),
        (other, other.image),
        (other, tmp_path / "gone.nii.gz"),  # nothing is known of it
    ):
        finished(case_weights.models_for_case(replace(case, image=image), own, two.cases, lite_medsam, tmp_path))
        (volume,) = load_weights(path).calibration["volumes"]
        assert volume["voxels_sha256"] == volume_of(shown, None).sha256


def test_an_image_that_cannot_be_read_is_passed_over(cases, settings, tmp_path):
    first, second, third = cases.cases
    gone = [first, replace(second, image=tmp_path / "gone.nii.gz"), third]
    assert hashes(calibration_of(first, "leave-one-out", settings, gone)) == [volume_of(third, None).sha256]
    with pytest.raises(InputError, match="no other patient's image can be calibrated on"):
        calibration_of(first, "leave-one-out", settings, gone[:2])


@pytest.mark.slow
def test_a_run_goes_on_with_the_files_that_are_there(two, settings, swept, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    work = running(two, settings, folder, Workers(1))
    for progress in work:
        if (progress.step, progress.total) == (1, 2):
            break
    work.close()
    assert len(list((folder / "weights").glob("*.safetensors"))) == 2
    once, made = case_weights.made_file, []

    def made_file(path, *others):
        made.append(path)
        yield from once(path, *others)

    monkeypatch.setattr(case_weights, "made_file", made_file)
    finished(running(two, settings, folder, Workers(1)))
    assert len(made) == 2
    pd.testing.assert_frame_equal(CohortStore(folder).scores(), CohortStore(swept).scores(), check_exact=True)


@pytest.mark.slow
def test_a_case_that_nothing_can_be_made_for_is_left_out_with_its_reason(two, settings, tmp_path, monkeypatch):
    real = case_weights.calibration_of

    def fails_for_the_second(case, *others):
        if case.name == two.cases[1].name:
            raise InputError("its image shows nothing")
        return real(case, *others)

    monkeypatch.setattr(case_weights, "calibration_of", fails_for_the_second)
    told = finished(running(two, settings, tmp_path / "out", Workers(1)))
    assert [(each.case, each.reason) for each in told if each.status == NOT_SCORED] == [
        (two.cases[1].name, "its image shows nothing")
    ]


def test_without_files_the_recipes_alone_are_run(cases):
    recipes = recipes_of(cases, ["rtn", "pcomq"], [8, 4, 8], ["own"])
    alone = settings_of([], recipes=recipes, runtime=Runtime.torch, protocol=ONE_SLICE)
    assert [(each.method, each.bits) for each in alone.recipes] == [("rtn", 8), ("rtn", 4), ("pcomq", 8), ("pcomq", 4)]
    assert CohortSettings.from_dict(alone.to_dict()) == alone
    with pytest.raises(InputError, match="at least one file"):
        settings_of([])


def test_what_cannot_be_made_is_refused_beforehand(cases):
    with pytest.raises(InputError, match="needs at least 2"):
        recipes_of(CaseList(cases.cases[:1]), ["rtn"], [4], ["leave-one-out"])
    with pytest.raises(InputError, match="no width of 3 bits"):
        recipes_of(cases, ["rtn"], [3], ["own"])


def test_other_recipes_are_another_cohort(two, settings, swept):
    fewer = replace(settings, recipes=settings.recipes[:1])
    with pytest.raises(InputError, match="other models for each case"):
        finished(running(two, fewer, swept, Workers(1)))


def test_plans_of_before_there_were_recipes_are_read(settings):
    content = settings.to_dict()
    del content["recipes"], content["further_runtimes"]
    assert CohortSettings.from_dict(content) == replace(settings, recipes=())


@pytest.mark.slow
def test_each_model_runs_on_every_runtime_and_full_precision_once(cases, rounded, tmp_path):
    pytest.importorskip("openvino")
    asked = [Runtime.torch, Runtime.openvino, Runtime.torch]
    several = settings_of([rounded], runtime=asked, protocol=ONE_SLICE)
    assert several.runtimes == ("torch", "openvino")
    one = CaseList(cases.cases[:1])
    finished(running(one, several, tmp_path / "out", Workers(1)))
    result = CohortResult.at(tmp_path / "out")
    names = [each.name for each in result.models]
    assert names == ["FP32", "4-bit Round to nearest, torch", "4-bit Round to nearest, openvino"]
    assert [each.simulated for each in result.models] == [False, True, False]
    torch, openvino = (result.scores.set_index("model").loc[name, "dice_against_ground_truth"] for name in names[1:])
    assert torch == pytest.approx(openvino, abs=0.02)
