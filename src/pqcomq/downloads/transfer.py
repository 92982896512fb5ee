"""One file from the web: mirrors in order, resumed where a try stopped, checked against its checksum, and kept."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pooch
import requests

from pqcomq.atomic_files import made_folder, why
from pqcomq.downloads.web_page import is_web_page
from pqcomq.errors import InputError

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 18
MEGABYTE = 1e6


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
        checksum: what it must be, e.g. ``"sha256:…"`` or ``"md5:…"``.
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


class _RefusedError(Exception):
    """A place does not give the file; the message says why."""


class _BrokeOffError(_RefusedError):
    """A place gave a part of the file."""


class _OtherFileError(_RefusedError):
    """A place gives something else, of which nothing is kept."""


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
        InputError: no connection, the servers refuse, the download broke off, what they send is not the expected file
            (it is removed), there is no room for it, or it cannot be stored.
    """
    try:
        made_folder(folder)
    except InputError as error:
        raise InputError(f"{wanted.name} could not be stored in {folder}: {error}") from error
    told = _Told(progress)
    refusals = []
    refusal: _RefusedError
    for url in wanted.urls:
        for attempt in range(wanted.attempts):
            resumed = _size(_part(folder / wanted.name)) > 0
            try:
                return _fetched(wanted, url, folder, told)
            except _BrokeOffError as error:
                refusal = error
            except _RefusedError as error:
                refusal = error
                if not (resumed and attempt == 0 and wanted.attempts > 1):
                    break  # only what was resumed can be wrong for another reason than the server's
            logger.info("%s: %s", url, refusal)
        refusals.append(str(refusal))
    raise InputError(_all_refused(wanted, refusals))


def _all_refused(wanted: Wanted, refusals: Iterable[str]) -> str:
    told = list(dict.fromkeys(refusals))
    if len(told) == 1:
        return told[0]
    return f"{wanted.name} could not be fetched from any of {len(wanted.urls)} places: {' '.join(told)}"


def _fetched(wanted: Wanted, url: str, folder: Path, told: _Told) -> Path:
    """The file of one place, checked.

    Raises:
        _RefusedError: it does not come, or not as it should be.
        InputError: it cannot be stored.
    """
    name, host, part = wanted.name, url.split("/")[2], _part(folder / wanted.name)
    before = _size(part)
    try:
        with _pooch_silent():
            return Path(pooch.retrieve(url, wanted.checksum, name, folder, downloader=_resumer(wanted, part, told)))
    except InputError:  # which is a ValueError
        raise
    except requests.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}" if error.response is not None else error
        raise _RefusedError(f"{name} could not be downloaded: {host} answers {answer}.") from error
    except requests.RequestException as error:
        begun = isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ReadTimeout))
        if begun or _size(part) > before:
            raise _BrokeOffError(
                f"The download of {name} from {host} broke off; {_size(part) / MEGABYTE:.1f} MB are kept, "
                "and the next attempt continues from there."
            ) from error
        raise _RefusedError(f"{name} could not be downloaded: there is no connection to {host}.") from error
    except OSError as error:
        raise InputError(f"{name} could not be stored in {folder}: {why(error)}.") from error
    except ValueError as error:  # pooch's word for a wrong checksum; it has removed the file
        kind = wanted.checksum.partition(":")[0].upper().replace("SHA256", "SHA-256")
        raise _RefusedError(
            f"{name} from {host} is damaged or not the expected file (its {kind} differs), so it was removed."
        ) from error


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


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


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
        done = _size(part)
        # A compressed response has another length, and its offsets are not the file's.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=wanted.patience) as response:
            if url.startswith("https:") and not response.url.startswith("https:"):
                raise _RefusedError(f"{url.split('/')[2]} sends on to an address without encryption.")
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                # The part is whole, or longer than the file: its checksum tells which.
                logger.info("%s has nothing after byte %d", url, done)
            else:
                response.raise_for_status()
                try:
                    _receive(wanted, response, part, done, told)
                except _OtherFileError:
                    part.unlink(missing_ok=True)
                    raise
        part.replace(output_file)

    return get


def _receive(wanted: Wanted, response: requests.Response, part: Path, done: int, told: _Told) -> None:
    """Append what comes to the part, or start afresh if the server sends the whole file."""
    if not _continues(response, done):
        done = 0
    host = response.url.split("/")[2]
    length = response.headers.get("Content-Length", "")
    total = done + int(length) if length.isdecimal() else None
    _check_size(wanted, host, total or 0)
    _check_room(wanted, (total or wanted.most_bytes or 0) - done, part.parent)
    told.total(total)
    told.reach(done)
    with part.open("ab" if done else "wb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            if done == 0 and is_web_page(chunk):
                raise _OtherFileError(f"{host} sent a web page in place of {wanted.name}.")
            file.write(chunk)
            done += len(chunk)
            _check_size(wanted, host, done)
            told.reach(done)


def _check_size(wanted: Wanted, host: str, size: int) -> None:
    if wanted.most_bytes is not None and size > wanted.most_bytes:
        raise _OtherFileError(
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
