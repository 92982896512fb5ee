"""The texts that the plugin shows, in the user's language where a catalogue has it, else in English as written.

Sentences of the engine stay English: they are in its files, reports and command line too.
"""

from __future__ import annotations

import gettext
from importlib.resources import files

DOMAIN = "napari_pqcomq"
"""Name of the catalogues: ``locale/<language>/LC_MESSAGES/napari_pqcomq.mo`` among the plugin's resources."""

_CATALOGUES = str(files("napari_pqcomq.resources") / "locale")
_catalogue: gettext.NullTranslations = gettext.translation(DOMAIN, _CATALOGUES, fallback=True)


def tr(text: str, /, **values: object) -> str:
    """A text in the user's language.

    Args:
        text: in English, as a literal, so that it is found for the catalogue; what changes stands in braces.
        **values: for what stands in braces.

    Example:
        >>> tr("Slice {z}", z=12)
        'Slice 12'
    """
    told = _catalogue.gettext(text)
    return told.format(**values) if values else told


def trn(one: str, many: str, count: int, /, **values: object) -> str:
    """A text that depends on a number, in the user's language.

    Args:
        one: in English, for 1; ``{count}`` stands for the number.
        many: in English, for any other number.
        count: the number.
        **values: for what else stands in braces.

    Example:
        >>> trn("{count} case", "{count} cases", 3)
        '3 cases'
    """
    return _catalogue.ngettext(one, many, count).format(count=count, **values)


def use(catalogue: gettext.NullTranslations) -> None:
    """Take another catalogue. Texts of modules that are imported already stay in the language they were imported in.

    Args:
        catalogue: of the texts' translations.
    """
    global _catalogue
    _catalogue = catalogue
