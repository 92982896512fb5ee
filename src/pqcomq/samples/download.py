"""One file from the web, checked against its SHA-256, resumed where an earlier try stopped, and kept."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pooch
import requests

from pqcomq.atomic_files import why
from pqcomq.errors import InputError

logger = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 18
TIMEOUT_SECONDS = (10, 60)
"""To connect, and between two pieces of data."""
MEGABYTE = 1e6


class ProgressBar(Protocol):
    """What tqdm's and napari's progress bars have in common."""

    total: float | None

    def update(self, n: float) -> object:
        """Move on by ``n`` of ``total``, in bytes."""


def download(url: str, sha256: str, folder: Path, name: str, progress: ProgressBar | None = None) -> Path:
    """Fetch a file unless the folder already holds it.

    Args:
        url: where it is, http or https.
        sha256: what it must be, hexadecimal.
        folder: where it is kept; made if need be. A download that breaks off stays there as ``<name>.part`` and is
            continued the next time, if the server can.
        name: file name in the folder.
        progress: receives the total and the size of every piece, in bytes; an exception that it raises stops the
            download.

    Returns:
        The file, whole and checked.

    Raises:
        InputError: no connection, the server refuses, the download broke off, the file is not the expected one (it is
            removed), or it cannot be stored.
    """
    host = url.split("/")[2]
    try:
        return Path(pooch.retrieve(url, f"sha256:{sha256}", name, folder, downloader=_resumer(folder / name, progress)))
    except requests.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}" if error.response is not None else error
        raise InputError(f"{name} could not be downloaded: {host} answers {answer}.") from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ReadTimeout) as error:
        kept = _size(_part(folder / name)) / MEGABYTE
        raise InputError(
            f"The download of {name} from {host} broke off; {kept:.1f} MB are kept, "
            "and the next attempt continues from there."
        ) from error
    except requests.RequestException as error:
        raise InputError(f"{name} could not be downloaded: there is no connection to {host}.") from error
    except OSError as error:
        raise InputError(f"{name} could not be stored in {folder}: {why(error)}.") from error
    except ValueError as error:  # pooch's word for a wrong checksum; it has removed the file
        raise InputError(
            f"{name} from {host} is damaged or not the expected file (its SHA-256 differs), so it was removed."
        ) from error


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _resumer(target: Path, progress: ProgressBar | None) -> Callable[[str, str, object], None]:
    """A downloader for pooch that resumes; pooch's own discards what it has when a download breaks off."""

    def fetch(url: str, output_file: str, _: object) -> None:
        part = _part(target)
        done = _size(part)
        # A compressed response has another length, and its offsets are not the file's.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                # The part is whole, or longer than the file: its checksum tells which.
                logger.info("%s has nothing after byte %d", url, done)
            else:
                response.raise_for_status()
                _receive(response, part, done, progress)
        part.replace(output_file)

    return fetch


def _receive(response: requests.Response, part: Path, done: int, progress: ProgressBar | None) -> None:
    """Append what comes to the part, or start afresh if the server sends the whole file."""
    if not _continues(response, done):
        done = 0
    length = response.headers.get("Content-Length")
    if progress is not None:
        progress.total = done + int(length) if length else None
        progress.update(done)
    with part.open("ab" if done else "wb") as file:
        for chunk in response.iter_content(CHUNK_BYTES):
            file.write(chunk)
            if progress is not None:
                progress.update(len(chunk))


def _continues(response: requests.Response, done: int) -> bool:
    start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status_code == requests.codes.partial_content and start is not None and int(start[1]) == done
