"""``pqcomq quantize``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqcomq.atomic_files import check_target, together
from pqcomq.cli.terminal.options import (
    DEFAULT_METHOD,
    DEFAULT_MODEL,
    AsJson,
    Checkpoint,
    MethodKey,
    ModalityOption,
    ModelKey,
    Overwrite,
    Published,
    WindowOption,
    opened,
    window_of,
)
from pqcomq.cli.terminal.output import print_json, print_lines, print_note
from pqcomq.cli.terminal.progress_bar import followed
from pqcomq.errors import InputError
from pqcomq.quantization.algorithm.config import BIT_WIDTHS, DEFAULT_SLICES, STORED_BITS, QuantizationConfig
from pqcomq.run_lock import only_run
from pqcomq.volumes.path_checks import is_folder
from pqcomq.wording import counted

if TYPE_CHECKING:
    from pqcomq.quantization.files.resume import Journal


def quantize(
    calibration: Annotated[
        list[Path], typer.Option(help="Volumes to calibrate on; several may follow.", metavar="VOLUME...")
    ],
    out: Annotated[Path, typer.Option(help="File to write, ending in .safetensors.", metavar="FILE")],
    bits: Annotated[
        int | None, typer.Option(help=f"Bit width of a code: {', '.join(map(str, BIT_WIDTHS))}.", show_default=False)
    ] = None,
    model: Annotated[ModelKey, typer.Option(help="Model to quantize.")] = DEFAULT_MODEL,
    checkpoint: Checkpoint = None,
    method: Annotated[
        MethodKey, typer.Option(help="rtn: round to nearest. ecq: integers in an entropy coder's stream.")
    ] = DEFAULT_METHOD,
    stored_bits: Annotated[
        float | None,
        typer.Option(
            help=f"Of ecq, in place of a bit width: bits a weight in the file, {STORED_BITS[0]:g} to "
            f"{STORED_BITS[1]:g}.",
            show_default=False,
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other setting, e.g. group_size=32; may be repeated.", metavar="NAME=VALUE"),
    ] = None,
    integer: Annotated[
        bool,
        typer.Option(
            "--integer",
            help="Symmetric weights on multiples of one scale a channel: integer products on openvino-int8.",
        ),
    ] = False,
    published: Published = False,
    calibration_slices: Annotated[int, typer.Option(min=1, help="Slices in all.")] = DEFAULT_SLICES,
    window: WindowOption = None,
    modality: ModalityOption = None,
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Quantize a model and save it as one packed file.

    A run that was stopped leaves its finished layers beside the file to be; the same command goes on from there.
    """
    for volume in calibration:
        is_folder(volume)  # told before torch is imported, which takes seconds

    from pqcomq.comparison.model_result import MEGABYTE
    from pqcomq.models.registry import load_model
    from pqcomq.quantization.calibration.slices import calibrate_on
    from pqcomq.quantization.files.model_card import card_path, write_card
    from pqcomq.quantization.files.resume import Journal, run_identity
    from pqcomq.quantization.files.weights_file import manifest, save_weights
    from pqcomq.quantization.quantize_model import quantize_model

    _check_bits(bits, method, stored_bits)
    if integer and stored_bits is not None:
        raise InputError(
            "--integer: belongs to weights of a bit width; entropy-coded ones are never multiplied as bytes"
        )
    if published and integer:
        raise InputError("--integer: weights on multiples of one scale are this program's own; leave --published out")
    if out.suffix != ".safetensors":
        raise InputError("Quantized weights are written to a file that ends in .safetensors", out)
    if out.is_file() and not overwrite:
        _drop_leftovers(out)
    check_target(out, overwrite=overwrite)
    check_target(card_path(out), overwrite=overwrite)
    settings = _settings(model.value, bits, method, integer, stored_bits, changes or [], published=published)
    with only_run(_lock(out), out):
        unfinished = _unfinished(out)
        Journal.check(unfinished)
        volumes = [opened(path, None, modality) for path in calibration]
        slices = calibrate_on(volumes, calibration_slices, window_of(window))
        full = load_model(model.value, checkpoint)
        journal = Journal.open(unfinished, run_identity(full, slices, settings))
        if journal.note:
            print_note(journal.note)
        quantized = followed(
            quantize_model(full, slices, settings, journal), f"{full.title}, {settings.title}", lambda: _kept(journal)
        )
        head = manifest(quantized)
        with together(out.parent):  # killed in between, neither the file nor its card would be there
            save_weights(quantized, out, overwrite=overwrite)
            card = write_card(out, head, overwrite=overwrite)
        journal.discard()
    size = out.stat().st_size
    if json:
        print_json({"file": str(out), "file_bytes": size} | head)
        return
    error = sum(quantized.layer_errors.values()) / len(quantized.layer_errors)
    print_lines(
        [
            f"wrote {out}: {size / MEGABYTE:.1f} MB, checkpoint {full.checkpoint_bytes / MEGABYTE:.1f} MB",
            f"{full.title}, {settings.title}: {quantized.effective_bits:.2f} effective bits per quantized weight, "
            f"mean layer error {error:.2e} of the output energy on {counted(len(slices.slices), 'calibration slice')}",
            f"wrote {card}: the model's card",
        ]
    )


_OPTIONS = {"bits": "--bits", "method": "--method", "stored_bits": "--stored-bits"}
"""Settings with an option of their own, which --set would quietly overrule."""


def _unfinished(out: Path) -> Path:
    """Where finished layers are kept until the file is written."""
    return out.with_suffix(".unfinished")


def _lock(out: Path) -> Path:
    return out.with_name(f".{out.name}.lock")


def _drop_leftovers(out: Path) -> None:
    """Take away the finished layers of a run that was killed after it had written its file."""
    from pqcomq.quantization.files.resume import Journal
    from pqcomq.quantization.files.weights_file import read_manifest

    with suppress(InputError), only_run(_lock(out), out):
        if Journal.drop_finished(_unfinished(out), read_manifest(out)):
            print_note(f"{_unfinished(out)} was left by the run that wrote {out}, and was taken away")


def _kept(journal: Journal) -> str:
    count = journal.finished_layers
    if count == 0:
        return "no layer was finished yet, and the same command begins with the first one"
    layers = counted(count, "finished layer is", "finished layers are")
    return f"{layers} kept in {journal.folder}, and the same command goes on from there"


def _check_bits(bits: int | None, method: MethodKey, stored_bits: float | None) -> None:
    """Refuse bits that the method does not have, before anything is read.

    Raises:
        InputError: they are missing, too many, or none that there are.
    """
    least, most = STORED_BITS
    if method is MethodKey("ecq"):
        if bits is not None:
            raise InputError("--bits: entropy-coded weights have no bit width; give --stored-bits instead")
        if stored_bits is None or not least <= stored_bits <= most:
            raise InputError(f"--stored-bits: give the bits a weight that ecq may take, from {least:g} to {most:g}")
    elif stored_bits is not None:
        raise InputError("--stored-bits: belongs to --method ecq; the other methods have a bit width, --bits")
    elif bits not in BIT_WIDTHS:
        asked = "--bits" if bits is None else f"bit width {bits}"
        raise InputError(f"{asked}: choose one of {', '.join(map(str, BIT_WIDTHS))}")


def _settings(
    model: str,
    bits: int | None,
    method: MethodKey,
    integer: bool,
    stored_bits: float | None,
    changes: list[str],
    *,
    published: bool,
) -> QuantizationConfig:
    """The default for a model and bit width, or what the method's paper has, with what the user changed.

    Raises:
        InputError: a setting is unknown or outside its range.
    """
    from pqcomq.quantization.planning.presets import default_config

    for change in changes:
        if (option := _OPTIONS.get(change.partition("=")[0].strip())) is not None:
            raise InputError(f"--set {change}: this setting has an option of its own, {option}")
    try:
        if published:
            return QuantizationConfig.published(bits or 8, method.value).altered(changes)  # type: ignore[arg-type]
        chosen = default_config(
            model,
            bits or 8,
            method.value,  # type: ignore[arg-type]
            integers=integer,
            stored_bits=stored_bits,
        )
        return chosen.altered(changes)
    except ValueError as problem:
        raise InputError(f"{'--published' if published else '--set'}: {problem}") from problem
