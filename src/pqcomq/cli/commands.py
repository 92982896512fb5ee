"""The commands by name, each imported only when it is run or its help is asked for.

A command's module imports what its options need, and the function itself what it runs: a help text does not wait
seconds for torch.
"""

from __future__ import annotations

from importlib import import_module

import typer
from typer.core import TyperCommand, TyperGroup

from pqcomq.cli.terminal.interruption import NOTHING_KEPT, Interrupted

SUMMARIES = {
    "demo": "Quantize LiteMedSAM and compare it on a synthetic abdominal CT: all of it on this machine, no network.",
    "quantize": "Quantize a model and save it as one packed file.",
    "segment": "Segment what a box, points or a scribble ask for; several boxes or scribbles make one file with a "
    "label each.",
    "compare": "Compare a quantized model with the full-precision model that it was made from.",
    "evaluate": "Score full precision and quantized weights against ground truth, organ by organ, prompted from the "
    "labels.",
    "cohort": "Score full precision and quantized models on the labelled cases of many patients, with statistics.",
    "reproduce": "Put the published table of Permutation-COMQ beside a cohort's numbers, and say what differs.",
    "report": "Compare on one or more objects and keep everything in a folder: a page to read, tables, and what "
    "replays it.",
    "replay": "Run a session again: status 0 if every voxel and number comes out the same, 1 with the differences if "
    "not.",
    "gate": "Hold a session's or a cohort's numbers against a tolerance: 0 if all passes, 1 if one fails, "
    "3 if undecided.",
    "bench": "Measure latency, Dice and size of a model on all runtimes of this machine, in turns.",
    "export": "Write a quantized model for other programs: encoder and decoder as ONNX, OpenVINO or plain safetensors.",
    "card": "Write a quantized model's card beside its file: what it is, from what and how, what was measured.",
    "info": "Say what a file of quantized weights or a volume holds, after checking that it is whole.",
    "models": "List the models, fetch their weights, take over checkpoint files, check and remove them.",
    "series": "List the DICOM series in a place, with what stands in the way of opening each.",
}
"""Name → first paragraph of the command's help. Each is the function of that name in the module of that name."""


class CommandGroup(TyperGroup):
    """Lists the commands by their summaries, and imports the one that is run."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in SUMMARIES.items()}
        self._only_lists = False

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """The command, or its summary alone while the list of commands is printed."""
        if cmd_name not in SUMMARIES:
            return None
        if self._only_lists:
            return self.commands[cmd_name]  # type: ignore[return-value]
        return load_command(cmd_name)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run a command; ended by the user, it says what was kept."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted(NOTHING_KEPT) from None

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override]
        """Print the help of the program."""
        self._only_lists = True
        try:
            super().format_help(ctx, formatter)  # type: ignore[arg-type]
        finally:
            self._only_lists = False


def load_command(name: str) -> TyperCommand:
    """Import a command with all that it needs."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(getattr(import_module(f"pqcomq.cli.{name}"), name))
    return typer.main.get_command(single)  # type: ignore[return-value]
