"""What all tests share: markers, the real volumes beside the checkout, the shipped model, and plain files."""
# ruff: noqa: E402

from __future__ import annotations

import builtins
import contextlib
import ctypes
import gc
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import SimpleITK as sitk
from filelock import FileLock
from hypothesis import HealthCheck, settings

from pqcomq.cpu_settings import apply_cpu_settings

apply_cpu_settings()  # the process is the tests' own; before torch is imported, so above what imports it

import torch

from pqcomq.comparison.environment import Environment
from pqcomq.comparison.measures.latency import Latency
from pqcomq.comparison.measures.metrics import dice, scores
from pqcomq.comparison.measures.slice_scores import SliceScores
from pqcomq.comparison.model_result import Comparison, ModelResult
from pqcomq.models import lite_medsam as lite_medsam_family
from pqcomq.models.execution import Execution
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter
from pqcomq.models.small_encoder import small_encoder
from pqcomq.progress import finished
from pqcomq.quantization import layerwise
from pqcomq.quantization.calibration.slices import calibrate_on
from pqcomq.quantization.files.weights_file import load_weights, save_weights
from pqcomq.quantization.planning.mixed_precision import LayerPlan
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.samples.synthetic_ct import synthetic_ct
from pqcomq.segmentation.box import Box3D
from pqcomq.segmentation.box_mask import BoxMask
from pqcomq.segmentation.prompt import Prompt
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume

from . import remembered_embeddings

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# The same examples in every run and none that depends on how fast the machine is.
settings.register_profile(
    "stable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("stable")

GUI_TESTS = Path(__file__).parent / "napari_pqcomq"
ENGINE_ALONE = {"fast", "slow and not gui"}
"""Choices by marker (``-m``) that leave no test of the window."""
SURROUNDINGS = {"napari_pqcomq", "api", "autosave", "cli", "cohort", "comparison", "export", "session"}
"""Folders of tests in which no model's own passes are looked at."""
KEPT_BYTES = 1 << 30
"""What a process may hold before it is asked to give back what is free: asking takes a tenth of a second."""
QUANTIZED_MODELS = {"quantized", "saved", "eight_bits", "integers", "rounded"}
"""Fixtures that quantize a whole model: a test with one of them is slow, whichever of them comes first and waits."""


def pytest_collection_modifyitems(items):
    """Mark what needs a screen, what waits for a whole model, and all the rest as fast."""
    for item in items:
        if GUI_TESTS in item.path.parents:
            item.add_marker(pytest.mark.gui)
        elif QUANTIZED_MODELS & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
        if not any(item.get_closest_marker(name) for name in ("gui", "slow")):
            item.add_marker(pytest.mark.fast)


def pytest_ignore_collect(collection_path, config):
    """Import no napari and no Qt where the engine's tests alone are asked for."""
    return True if collection_path == GUI_TESTS and config.option.markexpr in ENGINE_ALONE else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Between several workers (``pytest -n 2``), a file's tests stay together: what its fixtures make is made once.

    Files are handed out in their order: the longest tests come first in it.
    """
    if config.option.dist != "load":  # something else was asked for
        return None
    from .file_scheduler import FileScheduler

    config.option.loadscopereorder = False
    return FileScheduler(config, log)


def pytest_configure():
    """Share the processor's cores between the workers."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        torch.set_num_threads(max(1, torch.get_num_threads() // workers))


def pytest_collection_finish():
    """Let the garbage collector pass over what stays anyway: modules, and some thousand tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def memory_given_back():
    """A file's tests leave little memory behind: freed pieces between others in use would stay with the process."""
    yield
    if psutil.Process().memory_info().rss < KEPT_BYTES:
        return
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # the C library is another than glibc
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(autouse=True)
def torch_modes_stay():
    """Fails a test that leaves torch in another mode for those after it."""

    def now():
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()

    before = now()
    yield
    assert now() == before, "torch's grad mode, inference mode or default dtype is another than before the test"


@pytest.fixture(autouse=True)
def passes_remembered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice goes through an encoder once in all tests of what surrounds the models."""
    of_what_surrounds = SURROUNDINGS & set(request.path.relative_to(Path(__file__).parent).parts)
    if of_what_surrounds and not request.node.get_closest_marker("passes_counted"):
        monkeypatch.setattr(Segmenter, "embed", remembered_embeddings.embed)


@pytest.fixture(scope="session")
def real_data() -> Path:
    if not REAL_DATA.is_dir():
        pytest.skip("the real CT and MR volumes are not beside this checkout")
    return REAL_DATA


@pytest.fixture(scope="session")
def lite_medsam() -> Segmenter:
    return load_model("lite-medsam")


@pytest.fixture(scope="session")
def finish():
    """Runs a generator to its end and gives its return value."""

    return finished


@pytest.fixture
def without_openvino(monkeypatch):
    """Makes importing OpenVINO fail from the call on, as where it is not installed."""

    def forbid():
        original = builtins.__import__

        def importing(name, *rest, **named):
            if name.split(".")[0] == "openvino":
                raise ImportError("No module named 'openvino'")
            return original(name, *rest, **named)

        monkeypatch.setattr(builtins, "__import__", importing)

    return forbid


def phantom_volume(seed=0, depth=6):
    """A bright disc with an offset blob in soft tissue, noisy; small enough to calibrate on in a moment."""
    generator = np.random.default_rng(seed)
    z, y, x = np.indices((depth, 96, 96))
    voxels = np.where((y - 48) ** 2 + (x - 48) ** 2 < 40**2, 50, -1000)
    voxels = np.where((y - 40) ** 2 + (x - 60) ** 2 < (8 + z) ** 2, 150, voxels)
    image = sitk.GetImageFromArray((voxels + generator.normal(0, 10, voxels.shape)).astype(np.int16))
    image.SetSpacing((2.0, 2.0, 5.0))
    return Volume.of(image, "CT", "phantom")


@pytest.fixture(scope="session")
def phantom():
    return phantom_volume()


@pytest.fixture(scope="session")
def synthetic():
    """The synthetic CT, which takes two seconds to draw; tests leave it as it is."""
    return synthetic_ct()


@pytest.fixture(scope="session")
def calibration(phantom):
    return calibrate_on([phantom], 1)


@pytest.fixture(scope="session")
def scribble_checkpoint(tmp_path_factory):
    """Random weights under the names of the authors' file, wrapped as their training script saves them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        state = lite_medsam_family.architecture().state_dict()
    path = tmp_path_factory.mktemp("scribble") / "medsam_lite_scribble.pth"
    torch.save({"model": state, "epoch": 3, "optimizer": {}, "loss": 0.1}, path)
    return path


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Makes a file for the tests of all workers: the first that needs it writes it, and the others wait for it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def made(name, make):
        path = folder / name
        with FileLock(folder / f".{name}.lock"):
            if not path.exists():
                make(path)
        return path

    return made


def unmeasured_plan(layers, _grams, settings, _damage, _workers):
    """Layers of every width and group size, most of the one asked for, without measuring what each one's damage is."""
    yield from layers  # tried
    yield from layers  # judged
    first, second = (bits for bits in (2, 4, 8) if bits != settings.bits)
    inner = [name for name in layers if ".blocks." in name]
    plan = dict.fromkeys(layers, LayerPlan(settings.bits, 64))
    plan |= {name: LayerPlan(first, 32) for name in inner[::8]}
    plan |= {name: LayerPlan(second, 128) for name in inner[5::16]}
    if settings.scales == "coarse":
        plan |= {name: LayerPlan(3, 64) for name in inner[2::8]} | {name: LayerPlan(5, 64) for name in inner[3::16]}
    return plan


@pytest.fixture
def unmeasured(monkeypatch):
    """Spends every budget by :func:`unmeasured_plan`: measuring takes most of the time of quantizing on one slice."""
    monkeypatch.setattr(layerwise, "measured_plan", unmeasured_plan)


@pytest.fixture(scope="session")
def saved(lite_medsam, calibration, finish, made_once):
    """The file of LiteMedSAM at 4 bits, 2, 3, 5 and 8 in some layers; tests leave it as it is."""

    def make(path):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(layerwise, "measured_plan", unmeasured_plan)
            save_weights(finish(quantize_model(lite_medsam, calibration, default_config("lite-medsam", 4))), path)

    return made_once("four.safetensors", make)


@pytest.fixture(scope="session")
def quantized(saved):
    """The same, loaded."""
    return load_weights(saved)


@pytest.fixture(scope="session")
def small_model(lite_medsam):
    """LiteMedSAM with an encoder of few channels: for what is about the run over layers, whatever they are."""
    return replace(lite_medsam, image_encoder=small_encoder())


@pytest.fixture(scope="session")
def comparison_of():
    """Makes the comparison that two given masks (z, y, x) on a volume would have led to, without running a model."""

    def make(volume, reference, candidate, *, box=None, truth=None, mode="propagate", precision="4-bit test"):
        box = box or Box3D.around(reference | candidate)
        inside = slice(box.z0, box.z1 + 1)
        spacing = volume.grid.spacing_zyx

        def side(mask, name, bits, simulated):
            return ModelResult(
                model="LiteMedSAM",
                precision=name,
                mask=BoxMask.cut(mask, box),
                volume_ml=float(mask.sum()) * volume.grid.voxel_millilitres,
                encoder=Latency.of([300.0 + z for z in box.slices]),
                decoder=Latency.of([15.0 + z / 10 for z in box.slices]),
                peak_memory_bytes=10**9,
                working_memory_bytes=10**8,
                file_bytes=39_000_000,
                effective_bits=bits,
                simulated=simulated,
                accuracy=None if truth is None else scores(truth[inside], mask[inside], spacing),
                execution=Execution.torch(quantized=simulated),
            )

        return Comparison(
            volume_name=volume.name,
            volume_sha256=volume.sha256,
            prompt=Prompt.of(box),
            mode=mode,
            window=Window(40, 400),
            reference=side(reference, "FP32", 32.0, False),
            candidate=side(candidate, precision, 4.5, True),
            agreement=scores(reference[inside], candidate[inside], spacing),
            slices=tuple(
                SliceScores(
                    z,
                    dice(reference[z], candidate[z]),
                    None if truth is None else dice(truth[z], reference[z]),
                    None if truth is None else dice(truth[z], candidate[z]),
                )
                for z in box.slices
            ),
            environment=Environment.here(),
        )

    return make


@pytest.fixture(scope="session", autouse=True)
def models_of_the_tests_own(tmp_path_factory):
    """What the user has fetched is neither read nor written."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PQCOMQ_MODELS", str(tmp_path_factory.mktemp("models")))
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def remembered_checks_of_the_tests_own(tmp_path_factory):
    """What the user's machine remembers of its runtimes is neither read nor written."""
    patch = pytest.MonkeyPatch()
    path = tmp_path_factory.mktemp("checks") / "runtimes.json"
    patch.setattr("pqcomq.backends.remembered_checks.checks_file", lambda: path)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def nothing_kept_on_disk():
    """Windows of the tests keep no unfinished work, but where a test asks for it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("PQCOMQ_AUTOSAVE", "off")
    yield
    patch.undo()
