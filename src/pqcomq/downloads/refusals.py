"""Why a place did not give a file, in one sentence each."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

MEGABYTE = 1e6


class RefusedError(Exception):
    """A place does not give the file; the message says why."""


class BrokeOffError(RefusedError):
    """A place gave a part of the file, so that it is worth asking it again."""


class OtherFileError(RefusedError):
    """A place gives something else, of which nothing is kept."""


class OtherBytesError(RefusedError):
    """What came in the end is not the file, which what was there before may have been to blame for."""


def host_of(url: str) -> str:
    """The machine that an address names, with its port."""
    return urlsplit(url).netloc.rpartition("@")[2]


def refusal(error: requests.RequestException, name: str, url: str, before: int, kept: int) -> RefusedError:
    """What an exception of a request means to the user.

    Args:
        error: that was raised.
        name: of the file.
        url: that was asked.
        before: bytes of the file that were there before it was asked.
        kept: bytes that are there now.
    """
    host, failed = host_of(url), f"{name} could not be downloaded:"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return RefusedError(f"{failed} {host} answers {error.response.status_code} {error.response.reason}.")
    if kept != before or isinstance(error, requests.exceptions.ChunkedEncodingError):
        left = f"{kept / MEGABYTE:.1f} MB are kept, and the next attempt continues from there." if kept else ""
        return BrokeOffError(f"The download of {name} from {host} broke off{'; ' * bool(left)}{left or '.'}")
    if isinstance(error, requests.TooManyRedirects):
        return RefusedError(f"{failed} {host} sends on from address to address without end.")
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return RefusedError(f"{failed} {host} sends on to an address that is none of the web.")
    last = host if error.request is None or not error.request.url else host_of(str(error.request.url))
    if isinstance(error, requests.exceptions.ProxyError):
        told = re.search(r"Tunnel connection failed: (\d+ [\w ]+)", str(error))
        does = f"answers {told[1].strip()}" if told else "gives no connection"
        return RefusedError(f"{failed} the proxy that is set (HTTP_PROXY, HTTPS_PROXY, or the system's) {does}.")
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            return RefusedError(f"{failed} there is no encrypted connection to {last}.")
        return RefusedError(
            f"{failed} the certificate of {last} could not be verified. Where a network signs with one of its own, "
            "REQUESTS_CA_BUNDLE names the file that holds it."
        )
    if _is_silence(error):
        return RefusedError(f"{failed} {last} sent nothing for too long.")
    return RefusedError(f"{failed} there is no connection to {last}.")


def _is_silence(error: requests.RequestException) -> bool:
    """Whether a connection stood and nothing came; while a body is read, requests calls that a lost connection."""
    return isinstance(error, requests.ReadTimeout) or "Read timed out" in str(error)
