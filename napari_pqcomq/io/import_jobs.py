"""What the import dialog does in the background: scan, then read what was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from napari_pqcomq.io.series_tree import Wanted
from napari_pqcomq.translation import tr
from pqcomq.dicom_masks.mask_object import LabelledObjects
from pqcomq.errors import InputError
from pqcomq.masks.read_masks import read_masks
from pqcomq.progress import Progress, Steps, prefixed
from pqcomq.volumes.dicom.scan import Scan, scanning
from pqcomq.volumes.dicom.series import checked_scan, reading_series
from pqcomq.volumes.dicom.series_summary import SeriesInfo, infos_of
from pqcomq.volumes.import_issues import Remedy, RemedyNeeded
from pqcomq.volumes.volume import Volume


@dataclass(frozen=True)
class Found:
    """A scan with its list."""

    scan: Scan
    infos: list[SeriesInfo]


@dataclass(frozen=True, eq=False)
class NothingFound:
    """There is nothing to open; an exception by itself would be taken for a failure of the worker's.

    Attributes:
        reason: why.
    """

    reason: InputError


@dataclass(frozen=True, eq=False)
class Order:
    """One volume to open, with the masks on it.

    Attributes:
        wanted: the volume.
        masks: the segmentations and structure sets to open on it.
        remedies: what the user chose for its geometry.
    """

    wanted: Wanted
    masks: tuple[Wanted, ...] = ()
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of an order.

    Attributes:
        order: the order.
        volume: the volume, if it could be read.
        masks: what could be read of its masks.
        problem: why it, or a mask, could not.
    """

    order: Order
    volume: Volume | None
    masks: tuple[LabelledObjects, ...] = ()
    problem: InputError | None = None


def orders_of(chosen: list[Wanted]) -> list[Order]:
    """Volumes to open, each once, with their masks; a mask chosen alone brings its volume along."""
    orders: dict[tuple[str, int | None], Order] = {}
    for wanted in chosen:
        key = wanted.series, wanted.part
        order = orders.setdefault(key, Order(replace(wanted, annotation=None)))
        if wanted.annotation is not None:
            orders[key] = replace(order, masks=(*order.masks, wanted))
    return list(orders.values())


def scan_steps(path: Path) -> Steps[Found | NothingFound]:
    """Look into all files; the reason instead, where there is nothing to open."""
    try:
        scan = checked_scan((yield from _scanned(path)))
    except InputError as error:
        return NothingFound(error)
    yield Progress(0, 0, tr("Sorting slices…"))
    return Found(scan, infos_of(scan))


def _scanned(path: Path) -> Steps[Scan]:
    return (yield from prefixed(scanning(path), tr("Looking into files: ")))


def read_steps(scan: Scan, orders: list[Order]) -> Steps[list[Outcome]]:
    """Read the volumes one after the other; one that fails does not keep the others."""
    outcomes = []
    for count, order in enumerate(orders, start=1):
        prefix = (
            tr("Reading {count} of {orders}", count=count, orders=len(orders)) if len(orders) > 1 else tr("Reading")
        )
        work = reading_series(scan, order.wanted.series, order.wanted.part, remedies=order.remedies)
        try:
            volume = yield from prefixed(work, f"{prefix}: ")
        except (InputError, MemoryError) as error:
            outcomes.append(Outcome(order, None, problem=_told(error, order)))
        else:
            outcomes.append(_with_masks(order, volume))
    return outcomes


def _with_masks(order: Order, volume: Volume) -> Outcome:
    masks, problems = [], []
    for wanted in order.masks:
        annotation = wanted.annotation
        if annotation is None:
            continue
        try:
            if annotation.file.member:
                raise InputError(
                    tr("The file can only be opened outside of its archive; unpack it first."), annotation.file
                )
            masks.append(read_masks(annotation.file.path, volume))
        except InputError as error:
            problems.append(str(error))
    return Outcome(order, volume, tuple(masks), InputError(" ".join(problems)) if problems else None)


def _told(error: InputError | MemoryError, order: Order) -> InputError:
    if isinstance(error, RemedyNeeded | InputError):
        return error
    return InputError(tr("Series …{series} is too large for this computer's memory.", series=order.wanted.series[-12:]))
