"""``pqcomq models``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pqcomq.cli.terminal.idle_options import refuse_idle
from pqcomq.cli.terminal.options import AsJson, ModelKey
from pqcomq.cli.terminal.output import print_json, print_lines, print_note, print_table
from pqcomq.cli.terminal.progress_bar import downloading
from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import ENTRIES, Entry, entry_of
from pqcomq.models.catalogue.model_store import forget, models_folder, record_of


class Action(StrEnum):
    """What is done."""

    list = "list"
    fetch = "fetch"
    import_ = "import"
    verify = "verify"
    remove = "remove"


def models(
    context: typer.Context,
    action: Annotated[
        Action,
        typer.Argument(
            help="list: what there is; with a model, all about it. fetch: get its weights. import: take over a "
            "checkpoint file. verify: compare its checksum. remove: delete its weights from this machine."
        ),
    ] = Action.list,
    model: Annotated[ModelKey | None, typer.Argument(help="Which; all, for list.")] = None,
    file: Annotated[Path | None, typer.Argument(help="For import: the checkpoint.", metavar="[FILE]")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="For fetch: accept the licence of the weights, and do not ask.")
    ] = False,
    json: AsJson = False,
) -> None:
    """List the models, fetch their weights, take over checkpoint files, check and remove them."""
    if (file is not None) != (action is Action.import_):
        raise InputError("models import takes a model and its checkpoint file; the other actions take no file")
    if action is not Action.fetch:
        refuse_idle(context, "it is of models fetch", "accept_licence")
    if action is Action.list:
        _tell(None if model is None else model.value, json)
        return
    if model is None:
        raise InputError(f"models {action.value}: name a model: {', '.join(ENTRIES)}")
    content = _done(action, model.value, file, accept_licence)
    if json:
        print_json({"model": model.value, "action": action.value} | content)
    else:
        print_lines(content["told"])


def _done(action: Action, key: str, file: Path | None, accept_licence: bool) -> dict[str, Any]:
    from pqcomq.models.catalogue.fetching import fetch_model, import_model, verify_model

    entry = entry_of(key)
    if action is Action.remove:
        removed = forget(key)
        return {"removed": [str(path) for path in removed], "told": [f"removed {path}" for path in removed]}
    if action is Action.import_:
        path = import_model(key, Path(str(file)))
    elif action is Action.fetch:
        accepted = accept_licence or entry.embedded or record_of(key) is not None or _asked(entry)
        with downloading(entry.file) as bar:
            path = fetch_model(key, accept_licence=accepted, progress=bar)
    verdict = verify_model(key)
    if verdict.published:
        sentence = f"its checksum is the published one ({entry.checksum.partition(':')[0]}, {entry.checksum_from})"
    elif entry.checksum:
        sentence = "its checksum is not the published one, so it is a checkpoint of your own"
    else:
        sentence = "its names and shapes are this model's; no checksum is published to tell it from another's weights"
    told = [f"{verdict.path if action is Action.verify else path}: {sentence}"]
    if not entry.checksum.startswith("sha256"):
        told.append("no SHA-256 is published: the one found when the file came is kept, and every use compares it")
    told.append(f"sha256 {verdict.sha256}")
    return {"file": str(verdict.path), "sha256": verdict.sha256, "published": verdict.published, "told": told}


def _asked(entry: Entry) -> bool:
    """Show the licence and ask, where somebody can answer; elsewhere the refusal shows it."""
    if not typer.get_text_stream("stdin").isatty():
        return False
    print_note(f"{entry.title}, {entry.size / 1e6:.1f} MB. Licence of the weights: {entry.licence}. {entry.page}")
    try:
        return typer.confirm("Accept the licence and fetch?", err=True)
    except typer.Abort:  # by Ctrl-C, or at the end of the input; the library would end with the status of an answer
        raise KeyboardInterrupt from None


def _tell(key: str | None, json: bool) -> None:
    chosen = list(ENTRIES.values()) if key is None else [entry_of(key)]
    facts = [_facts(entry) for entry in chosen]
    if json:
        print_json({"folder": str(models_folder()), "models": facts})
        return
    if key is not None:
        width = max(map(len, facts[0]))
        print_lines(f"{name.replace('_', ' '):<{width}}  {_shown(value)}" for name, value in facts[0].items())
        return
    print_table(
        "Models",
        ["model", "title", "at hand", "MB", "input", "trained for", "licence"],
        [
            [
                entry.key,
                entry.title,
                _shown(fact["at_hand"]),
                entry.megabytes or "not told",
                f"{entry.side}²",
                ", ".join(entry.prompts),
                entry.licence.partition(" (")[0],
            ]
            for entry, fact in zip(chosen, facts, strict=True)
        ],
        f"Weights are kept in {models_folder()}.",
    )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _facts(entry: Entry) -> dict[str, Any]:
    record = record_of(entry.key)
    return {
        "key": entry.key,
        "title": entry.title,
        "at_hand": entry.embedded or record is not None,
        "file": entry.file,
        "bytes": entry.size,
        "sha256_when_it_came": "" if record is None else record.sha256,
        "published_checksum": f"{entry.checksum or 'none'} ({entry.checksum_from})",
        "licence": entry.licence,
        "citation": entry.citation,
        "page": entry.page,
        "fetched_from": list(entry.urls),
        "input_pixels": entry.side,
        "preprocessing": entry.preprocessing,
        "trained_on": entry.trained_on,
        "prompts_trained_for": list(entry.prompts),
    }
