"""The quantized models of a cohort, made by several runs at a time, as the jobs of an array are."""

import shutil
from contextlib import ExitStack

import pytest

from pqcomq.cohort.running import cohort_weights
from pqcomq.cohort.running.cohort_weights import check_calibration, making_weights
from pqcomq.errors import InputError
from pqcomq.progress import Progress, finished
from pqcomq.run_lock import only_run


@pytest.fixture
def made(monkeypatch):
    """What this run has made: quantizing itself is not the point here."""
    done = []

    def quantize(path, full, slices, config):
        yield Progress(1, 1, "layer")
        path.write_text(config.title)
        done.append(path.name)

    monkeypatch.setattr(cohort_weights, "made_file", quantize)
    monkeypatch.setattr(cohort_weights, "check_calibration", lambda path, slices: None)
    monkeypatch.setattr(cohort_weights, "LOOKING_SECONDS", 0.01)
    return done


def making(lite_medsam, phantom, folder):
    return making_weights(lite_medsam, [8, 4], ["rtn"], [phantom, phantom], folder)


def test_what_is_there_is_taken_as_it_is(lite_medsam, phantom, made, tmp_path):
    finished(making(lite_medsam, phantom, tmp_path / "weights"))
    assert made == ["lite-medsam-rtn-8bit.safetensors", "lite-medsam-rtn-4bit.safetensors"]
    paths = finished(making(lite_medsam, phantom, tmp_path / "weights"))
    assert [path.name for path in paths] == made
    assert len(list((tmp_path / "weights").iterdir())) == 2  # no lock is left


def test_other_models_than_a_cohort_was_begun_with_are_refused_before_any_is_made(lite_medsam, phantom, made, tmp_path):
    begun = ["lite-medsam-rtn-8bit.safetensors"]
    with pytest.raises(InputError, match=r"of other models \(lite-medsam-rtn-8bit.*another folder for --out"):
        finished(making_weights(lite_medsam, [8, 4], ["rtn"], [phantom], tmp_path / "weights", begun_with=begun))
    assert made == []
    finished(making_weights(lite_medsam, [8], ["rtn"], [phantom, phantom], tmp_path / "weights", begun_with=begun))
    assert made == begun


def test_methods_as_published_have_files_of_their_own(lite_medsam, phantom, made, tmp_path):
    both = ["comq", "pcomq"]
    finished(making_weights(lite_medsam, [2], both, [phantom, phantom], tmp_path))
    paths = finished(making_weights(lite_medsam, [2], both, [phantom, phantom], tmp_path, published=True))
    assert made[2:] == [f"lite-medsam-{method}-2bit-published.safetensors" for method in both]
    assert [path.read_text() for path in paths] == ["2-bit COMQ as published", "2-bit Permutation-COMQ as published"]


def test_a_run_makes_what_no_other_one_makes_and_waits_for_the_rest(lite_medsam, phantom, made, tmp_path):
    eight = tmp_path / "lite-medsam-rtn-8bit.safetensors"
    with ExitStack() as other:
        other.enter_context(only_run(tmp_path / f".{eight.name}.lock", eight))
        work = making(lite_medsam, phantom, tmp_path)
        assert "4-bit" in next(work).text  # not the 8 bits that come first
        assert "waiting for another run, which makes 8-bit" in next(work).text
        assert "waiting" in next(work).text
        eight.write_text("by the other")
    with pytest.raises(StopIteration) as end:
        next(work)
    assert [path.name for path in end.value.value] == [eight.name, "lite-medsam-rtn-4bit.safetensors"]
    assert made == ["lite-medsam-rtn-4bit.safetensors"]
    assert eight.read_text() == "by the other"


def test_what_a_killed_run_did_not_finish_is_made_by_one_that_waits(lite_medsam, phantom, made, tmp_path):
    eight = tmp_path / "lite-medsam-rtn-8bit.safetensors"
    with ExitStack() as other:
        other.enter_context(only_run(tmp_path / f".{eight.name}.lock", eight))
        work = making(lite_medsam, phantom, tmp_path)
        next(work)
        next(work)
    finished(work)
    assert made == ["lite-medsam-rtn-4bit.safetensors", eight.name]


def test_weights_that_were_calibrated_otherwise_are_refused(lite_medsam, phantom, rounded, tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(rounded, folder / "lite-medsam-rtn-4bit.safetensors")
    with pytest.raises(InputError, match="calibrated on other volumes or in another window; choose another folder"):
        finished(making_weights(lite_medsam, [4], ["rtn"], [phantom, phantom], folder))


def test_weights_of_the_same_slices_are_taken(lite_medsam, calibration, rounded):
    check_calibration(rounded, calibration)
