"""The commands put together, and what becomes of their errors."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import pqcomq
from pqcomq.atomic_files import why
from pqcomq.cli.commands import CommandGroup
from pqcomq.cli.terminal.interruption import NOTHING_KEPT, Interrupted, end_as_by_ctrl_c
from pqcomq.cli.terminal.lists import joined_numbers, repeat_options
from pqcomq.cli.terminal.plain_output import let_output_be_plain
from pqcomq.cli.terminal.statuses import BAD_INPUT, FAULT, INTERRUPTED, NOT_PASSED, Answer
from pqcomq.cpu_settings import apply_cpu_settings
from pqcomq.errors import InputError, lacks_memory
from pqcomq.quiet_terminal import keep_others_warnings_in_log, log_file_title
from pqcomq.research_only import RESEARCH_ONLY

app = typer.Typer(
    name="pqcomq",
    cls=CommandGroup,
    help=f"Quantize MedSAM models with Permutation-COMQ and compare them with full precision. {RESEARCH_ONLY}",
    epilog=f"Warnings of other packages are kept in {log_file_title()}.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pqcomq {pqcomq.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """See the help text given to the application."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process.

    Args:
        arguments: by default those of the process, which is then set up for speed and keeps other packages' warnings in
            a log. With arguments of its own another program calls, whose process is left as it is.

    Raises:
        SystemExit: 0 when all went well, 1 where a command answers with no, 2 on bad input, 3 where a gate is
            undecided, 70 where the program is at fault or its output cannot be printed, 130 when interrupted.
    """
    if arguments is None:
        apply_cpu_settings()
        keep_others_warnings_in_log()
        end_as_by_ctrl_c()
    let_output_be_plain()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(joined_numbers(repeat_options(given)))
    except Answer as answer:
        raise SystemExit(answer.status) from None
    except SystemExit as end:
        # With 1, which is an answer here, the library ends what cannot print, as into a pipe that was closed.
        raise SystemExit(FAULT if end.code == NOT_PASSED else end.code) from None
    except InputError as problem:
        _complain(str(problem))
        raise SystemExit(BAD_INPUT) from None
    except OSError as problem:
        if os.environ.get("PQCOMQ_DEBUG"):
            traceback.print_exc()
        named = problem.filename is not None
        _complain(f"{why(problem)} ({problem.filename})" if named else why(problem))
        raise SystemExit(BAD_INPUT) from None
    except Interrupted as kept:
        _complain(f"interrupted; {kept}")
        raise SystemExit(INTERRUPTED) from None
    except KeyboardInterrupt:
        _complain(f"interrupted; {NOTHING_KEPT}")
        raise SystemExit(INTERRUPTED) from None
    except Exception as problem:
        if lacks_memory(problem):
            _complain("there is not enough memory for this volume and model")
            raise SystemExit(BAD_INPUT) from None
        traceback.print_exc()
        _complain("this is a fault of the program; please report it with the lines above, and nothing of a patient")
        raise SystemExit(FAULT) from None


def _complain(sentence: str) -> None:
    from pqcomq.cli.terminal.output import console_of

    console_of(stderr=True).print(f"pqcomq: {sentence}", style="red")
