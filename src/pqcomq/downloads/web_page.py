"""Web pages that come in place of files: pages of confirmation, of errors, of a network that asks for a sign-in."""

from __future__ import annotations

import re

_COMMENTS = rb"(?:<!--(?:(?!-->).)*-->\s*)*"
_PAGE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?" + _COMMENTS + rb"<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def is_web_page(head: bytes) -> bool:
    """Whether a file that begins so is HTML.

    Examples:
        >>> from pqcomq.downloads.web_page import is_web_page
        >>> is_web_page(b"<!DOCTYPE html><title>Sign in</title>"), is_web_page(b"PK")
        (True, False)
    """
    return _PAGE.match(head) is not None
