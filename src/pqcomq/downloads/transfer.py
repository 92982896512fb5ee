"""One file from the web: mirrors in order, resumed where a try stopped, checked against its checksum, and kept."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import pooch
import requests

from pqcomq.atomic_files import made_folder, why
from pqcomq.downloads.places import incoming_of, part_of
from pqcomq.downloads.refusals import (
    MEGABYTE,
    BrokeOffError,
    OtherBytesError,
    OtherFileError,
    RefusedError,
    host_of,
    refusal,
)
from pqcomq.downloads.web_page import is_web_page
from pqcomq.errors import InputError
from pqcomq.run_lock import HeldByAnotherRunError, only_run

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 18


class NotFetchedError(InputError):
    """No place gave the file; on this machine nothing is wrong."""


class ProgressBar(Protocol):
    """What tqdm's and napari's progress bars have in common."""

    total: float | None

    def update(self, n: float) -> object:
        """Move on by ``n`` of ``total``, in bytes."""


@dataclass(frozen=True)
class Wanted:
    """A file and where it is.

    Attributes:
        name: file name in the folder.
        urls: where it is, http or https; tried in this order.
        checksum: what it must be, e.g. ``"sha256:…"`` or ``"md5:…"``; empty where nobody publishes one, and whoever
            fetches it keeps the one that it had when it came.
        most_bytes: anything longer is not the file; None where that is not known.
        attempts: at each place; only a download that broke off is tried again, from where it stopped.
        patience: seconds to connect, and between two pieces of data.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    most_bytes: int | None = None
    attempts: int = 1
    patience: tuple[float, float] = (10.0, 60.0)


def download(url: str, sha256: str, folder: Path, name: str, progress: ProgressBar | None = None) -> Path:
    """Fetch a file of one place; see :func:`fetch`.

    Args:
        url: where it is, http or https.
        sha256: what it must be, hexadecimal.
        folder: where it is kept.
        name: file name in the folder.
        progress: receives the total and the size of every piece, in bytes.
    """
    return fetch(Wanted(name, (url,), f"sha256:{sha256}"), folder, progress)


def fetch(wanted: Wanted, folder: Path, progress: ProgressBar | None = None) -> Path:
    """Fetch a file unless the folder already holds it.

    Proxies are those of the environment (``HTTPS_PROXY``, ``NO_PROXY``).

    Args:
        wanted: the file.
        folder: where it is kept; made if need be. A download that breaks off stays there as ``<name>.part`` and is
            continued the next time, if the server can.
        progress: receives the total and the size of every piece, in bytes; an exception that it raises stops the
            download.

    Returns:
        The file, whole and checked.

    Raises:
        NotFetchedError: no connection, the servers refuse, the download broke off, or what they send is not the
            expected file (it is removed).
        InputError: there is no room for it, it cannot be stored, or another process fetches it.
    """
    try:
        made_folder(folder)
    except InputError as error:
        raise InputError(f"{wanted.name} could not be stored in {folder}: {error}") from error
    target = folder / wanted.name
    if target.is_file() and has_checksum(target, wanted.checksum):
        with suppress(OSError):  # left where a process was killed in the last moment
            part_of(target).unlink()
        return target
    try:
        with only_run(folder / f".{wanted.name}.lock", target):
            return _from_any_place(wanted, folder, _Told(progress))
    except HeldByAnotherRunError as error:
        raise InputError(f"{wanted.name} is being fetched by another process; wait until it has ended.") from error


def has_checksum(path: Path, checksum: str) -> bool:
    """Whether a file has a checksum, as :class:`Wanted` writes them; with an empty one, any has.

    Raises:
        InputError: it cannot be read.
    """
    algorithm, _, digest = checksum.partition(":")
    try:
        return not checksum or str(pooch.file_hash(str(path), alg=algorithm)) == digest
    except OSError as error:
        raise InputError(f"The file could not be read: {why(error)}.", path) from error


def _from_any_place(wanted: Wanted, folder: Path, told: _Told) -> Path:
    """The file of the first place that gives it.

    Raises:
        NotFetchedError: none does.
        InputError: it cannot be stored.
    """
    refusals = []
    for url in wanted.urls:
        problem = RefusedError()
        for _attempt in range(wanted.attempts):
            resumed = _size(part_of(folder / wanted.name)) > 0
            try:
                return _fetched(wanted, url, folder, told)
            except BrokeOffError as error:
                problem = error
            except OtherBytesError as error:
                problem = error
                if not resumed:
                    break  # only what was resumed can be wrong for another reason than the server's
            except RefusedError as error:
                problem = error
                break
        logger.info("%s: %s", url, problem)
        refusals.append(str(problem))
    raise NotFetchedError(_all_refused(wanted, refusals))


def _all_refused(wanted: Wanted, refusals: Iterable[str]) -> str:
    told = list(dict.fromkeys(refusals))
    if len(told) == 1:
        return told[0]
    return f"{wanted.name} could not be fetched from any of {len(wanted.urls)} places: {' '.join(told)}"


def _fetched(wanted: Wanted, url: str, folder: Path, told: _Told) -> Path:
    """The file of one place, checked.

    Raises:
        RefusedError: it does not come, or not as it should be.
        InputError: it cannot be stored.
    """
    name, target = wanted.name, folder / wanted.name
    part, before = part_of(target), _size(part_of(target))
    try:
        with _pooch_silent(), _incoming(target) as staging:
            known = wanted.checksum or None
            whole = pooch.retrieve(url, known, name, staging, downloader=_resumer(wanted, part, told))
            Path(whole).replace(target)
            part.unlink(missing_ok=True)
        return target
    except InputError:  # which is a ValueError
        raise
    except requests.RequestException as error:
        raise refusal(error, name, url, before, _size(part)) from error
    except OSError as error:
        raise InputError(f"{name} could not be stored in {folder}: {why(error)}.") from error
    except ValueError as error:  # pooch's word for a wrong checksum
        part.unlink(missing_ok=True)
        kind = wanted.checksum.partition(":")[0].upper().replace("SHA256", "SHA-256")
        raise OtherBytesError(
            f"{name} from {host_of(url)} is damaged or not the expected file (its {kind} differs), so it was removed."
        ) from error


@contextmanager
def _incoming(target: Path) -> Iterator[Path]:
    """A folder for the file while it is checked; what a killed process left in it is taken away."""
    folder = incoming_of(target)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _pooch_silent() -> Iterator[None]:
    """Without pooch's lines on standard error, which would stand between those of a bar."""
    log = pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _Told:
    """What a bar has been told, so that a second try does not count twice."""

    def __init__(self, bar: ProgressBar | None) -> None:
        self._bar, self._at = bar, 0

    def total(self, size: int | None) -> None:
        if self._bar is not None:
            self._bar.total = size

    def reach(self, position: int) -> None:
        if self._bar is not None:
            step, self._at = position - self._at, position
            self._bar.update(step)


def _resumer(wanted: Wanted, part: Path, told: _Told) -> Callable[[str, str, object], None]:
    """A downloader for pooch that resumes; pooch's own discards what it has when a download breaks off."""

    def get(url: str, output_file: str, _: object) -> None:
        done = _size(part) if wanted.checksum else 0  # nothing else tells whether the pieces are of one file
        # A compressed response has another length, and its offsets are not the file's.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with _asked(url, headers, wanted.patience) as response:
            on_the_way = [each.url for each in (*response.history, response)]
            if not all(each.startswith("https:") for each in on_the_way) and url.startswith("https:"):
                raise RefusedError(f"{host_of(url)} sends on to an address without encryption.")
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                if done < (wanted.most_bytes or 0):
                    raise OtherFileError(f"{host_of(url)} has a shorter file in place of {wanted.name}.")
                # The part is whole, or longer than the file: its checksum tells which.
                logger.info("%s has nothing after byte %d", url, done)
            else:
                response.raise_for_status()
                _receive(wanted, response, part, done, told)
        _hand_over(part, Path(output_file))

    return get


def _asked(url: str, headers: dict[str, str], patience: tuple[float, float]) -> requests.Response:
    """The answer of a server, its body not yet read.

    Raises:
        requests.RequestException: there is none.
    """
    try:
        return requests.get(url, headers=headers, stream=True, timeout=patience)
    except requests.RequestException:
        raise
    except ValueError as error:  # of Python's own reading of an address that a server sends on to
        raise requests.exceptions.InvalidURL(str(error)) from error


def _hand_over(part: Path, target: Path) -> None:
    """Give pooch the file to check; the part stays, if the file system can, for the case that it is interrupted."""
    try:
        target.unlink(missing_ok=True)
        os.link(part, target)
    except OSError:
        part.replace(target)


def _receive(wanted: Wanted, response: requests.Response, part: Path, done: int, told: _Told) -> None:
    """Append what comes to the part, or start afresh if the server sends the whole file.

    What is in the part is given up only once something else has come that may be the file.
    """
    kept, host = done, host_of(response.url)
    if not _continues(response, done):
        done = 0
    length = response.headers.get("Content-Length", "")
    total = done + int(length) if length.isdecimal() else None
    plain = "Content-Encoding" not in response.headers  # otherwise the length is not the file's
    if kept and not done and plain and total is not None and total < (wanted.most_bytes or 0):
        raise OtherFileError(f"{host} sent a shorter file in place of {wanted.name}.")
    _check_size(wanted, host, total or 0)
    _check_room(wanted, (total or wanted.most_bytes or 0) - done, part.parent)
    chunks = response.iter_content(CHUNK_BYTES)
    first = next(chunks, b"")
    if done == 0 and is_web_page(first):
        raise OtherFileError(f"{host} sent a web page in place of {wanted.name}.")
    told.total(total)
    told.reach(done)
    try:
        with part.open("ab" if done else "wb") as file:
            for chunk in chain([first], chunks):
                file.write(chunk)
                done += len(chunk)
                _check_size(wanted, host, done)
                told.reach(done)
    except OtherFileError:
        part.unlink()
        raise


def _check_size(wanted: Wanted, host: str, size: int) -> None:
    if wanted.most_bytes is not None and size > wanted.most_bytes:
        raise OtherFileError(
            f"What {host} sends is longer than {wanted.name}, which has {wanted.most_bytes / MEGABYTE:.1f} MB; "
            "it was not kept."
        )


def _check_room(wanted: Wanted, needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"There is no room for {wanted.name}: {needed / MEGABYTE:.0f} MB are needed in {folder}, and "
            f"{free / MEGABYTE:.0f} MB are free."
        )


def _continues(response: requests.Response, done: int) -> bool:
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status_code == requests.codes.partial_content and start is not None and int(start[1]) == done
