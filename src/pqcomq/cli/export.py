"""``pqcomq export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqcomq.cli.terminal.options import AsJson, Overwrite
from pqcomq.cli.terminal.output import print_json, print_note, print_written
from pqcomq.export.export_kind import ExportKind


def export(
    weights: Annotated[Path, typer.Argument(help="Quantized weights.", metavar="WEIGHTS")],
    to: Annotated[
        ExportKind,
        typer.Option(
            help="onnx: codes packed, runs in ONNX Runtime. openvino: its own format. safetensors-fp16: weights "
            "widened to float16."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write; made if need be.", metavar="FOLDER")],
    overwrite: Overwrite = False,
    json: AsJson = False,
) -> None:
    """Write a quantized model for other programs: encoder and decoder as ONNX, OpenVINO or plain safetensors.

    A file model.json beside them says how images and boxes are made. Decoders take boxes; a model's points and
    scribbles stay with pqcomq.
    """
    from pqcomq.export.package import export_model
    from pqcomq.quantization.files.weights_file import load_weights

    model = load_weights(weights)
    written = export_model(model, to, out, overwrite=overwrite)
    if json:
        print_json({"files": {str(path): path.stat().st_size for path in written}})
        return
    print_written(written)
    if model.segmenter.takes("points") and to is not ExportKind.safetensors_fp16:
        print_note(f"The decoder takes boxes alone; with points {model.segmenter.title} is asked in pqcomq.")
