"""Every text that the plugin shows can be translated: it is in the catalogue, and reaches the window through it."""

from __future__ import annotations

import ast
import gettext
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from napari_pqcomq import translation
from pqcomq.models.registry import MODEL_TITLES
from pqcomq.quantization.algorithm.config import METHOD_TITLES
from pqcomq.quantization.planning.presets import default_config
from pqcomq.research_only import RESEARCH_ONLY
from pqcomq.volumes.intensity_window import PRESETS

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "napari_pqcomq"
CATALOGUE = ROOT / "resources" / "locale" / "napari_pqcomq.pot"
WORD = re.compile(r"[^\W\d_]{2}")
_KEYS = r"<b>(Up|Down|Left|Right|PgUp|PgDown|Home|End|Esc|, )+</b>"
NO_WORDS = re.compile(_KEYS + r"|<[^>]*>|(Ctrl|Shift)\+(Left|Right|Up|Down)|(Ctrl|Shift|Return)\+?")
"""Tags of rich text, and keys."""

KEYWORDS = {"tr": None, "trn": (1, 2)}

SHOWS = {
    # Qt's and napari's functions that put their texts in front of the user.
    *("setText", "setToolTip", "setWindowTitle", "setTitle", "setAccessibleName", "setPlaceholderText", "setFormat"),
    *("setHorizontalHeaderLabels", "setHeaderLabels", "setStatusTip", "addItem", "addItems", "addAction", "addSection"),
    *("addTab", "addRow", "QLabel", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton", "QGroupBox", "QAction"),
    *("QTableWidgetItem", "getOpenFileName", "getOpenFileNames", "getSaveFileName", "getExistingDirectory", "question"),
    *("show_info", "show_warning", "show_error"),
    # The plugin's own.
    *("Collapsible", "InputError", "Progress", "Row", "Shortcut", "Step", "StripRow", "Plate", "add_panel", "ask"),
    *("ask_and_save", "ask_for_file", "show_message", "show_state", "prefixed"),
}
TERMS = {"CT", "MR", "3-D", "Dice", "NIfTI", "NRRD", "MetaImage", "DICOM SEG", "DICOM RTSTRUCT", " (W  / L )", "white"}
"""The same in every language, and the colour of a plate."""

FILES = {"weights.safetensors", "corrections.csv", "gate.csv", "reading.csv", "session"}
"""Names that are proposed in dialogs; scripts look for them."""


def called(node):
    """The name of the function that is called, without what it is taken from."""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def literals(node):
    """Texts written out in an expression, but for those that a call in it is given."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value for part in node.values if isinstance(part, ast.Constant))
    elif isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif isinstance(node, ast.List | ast.Tuple):
        yield from (text for each in node.elts for text in literals(each))
    elif isinstance(node, ast.BinOp):
        yield from (*literals(node.left), *literals(node.right))


def untranslated(source):
    """Line and text of what is shown and written out, and does not come from the catalogue."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and called(node) in SHOWS:
            for argument in (*node.args, *(each.value for each in node.keywords if each.arg == "tooltip")):
                for text in literals(argument):
                    if text not in TERMS | FILES and WORD.search(NO_WORDS.sub("", text)):
                        yield node.lineno, text


def keys_of(messages):
    """What a catalogue is about: texts, with their plural where they have one."""
    return {tuple(each) if isinstance(each, list | tuple) else each for each in messages if each}


def test_the_catalogue_holds_every_text_of_the_plugin():
    found = extract_from_dir(str(PLUGIN), keywords=KEYWORDS, comment_tags=())
    with CATALOGUE.open("rb") as stream:
        kept = read_po(stream)
    written, shown = keys_of(message.id for message in kept), keys_of(each[2] for each in found)
    assert shown - written == set(), "new texts: make the catalogue anew, as docs/architecture.md says"
    assert written - shown == set(), "texts that are gone: make the catalogue anew, as docs/architecture.md says"
    assert len(shown) > 500


def test_nothing_is_shown_that_is_not_in_the_catalogue():
    found = {
        f"{path.relative_to(PLUGIN)}:{line}": text
        for path in sorted(PLUGIN.rglob("*.py"))
        for line, text in untranslated(path.read_text(encoding="utf-8"))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("label.setText('Slice')", "Slice"),
        ("label.setText(f'Slice {z}' if z else 'none here')", "Slice "),
        ("show_info('Saved ' + name)", "Saved "),
        ("tree.setHeaderLabels(['Series'])", "Series"),
    ],
)
def test_a_text_past_the_catalogue_is_found(source, text):
    assert next(untranslated(source))[1] == text


@pytest.mark.parametrize("source", ["label.setText(tr('Slice'))", "label.setText(name)", "label.setText('<b> · </b>')"])
def test_what_is_translated_or_no_text_is_let_pass(source):
    assert list(untranslated(source)) == []


class Bracketed(gettext.NullTranslations):
    """A language whose words are English ones in brackets."""

    def gettext(self, message):
        return f"⟦{message}⟧"

    def ngettext(self, one, many, count):
        return f"⟦{one if count == 1 else many}⟧"


@pytest.fixture
def bracketed():
    translation.use(Bracketed())
    yield
    translation.use(gettext.NullTranslations())


def test_what_stands_in_braces_is_filled_in_after_translation(bracketed):
    assert translation.tr("Slice {z}", z=12) == "⟦Slice 12⟧"
    assert translation.tr("100 % {as it is}") == "⟦100 % {as it is}⟧"
    assert translation.trn("{count} case of {name}", "{count} cases of {name}", 1, name="A") == "⟦1 case of A⟧"
    assert translation.trn("{count} case of {name}", "{count} cases of {name}", 0, name="A") == "⟦0 cases of A⟧"


PROGRAM = """
import json, runpy, sys

sys.modules.setdefault("triton", None)
from napari_pqcomq import translation

language = runpy.run_path(sys.argv[1])["Bracketed"]
translation.use(language())
import napari
from qtpy.QtWidgets import QAbstractButton, QComboBox, QGroupBox, QLabel, QWidget

from napari_pqcomq.app.compare_widget import CompareWidget

viewer = napari.Viewer(show=False)
dock = CompareWidget(viewer)
widgets = [widget for root in (dock, dock.panels.results) for widget in (root, *root.findChildren(QWidget))]
texts = [widget.text() for widget in widgets if isinstance(widget, QAbstractButton | QLabel)]
texts += [widget.title() for widget in widgets if isinstance(widget, QGroupBox)]
texts += [box.itemText(at) for box in widgets if isinstance(box, QComboBox) for at in range(box.count())]
tabs = [dock.panels.results.tabText(at) for at in range(dock.panels.results.count())]
told = {"texts": texts, "tips": [widget.toolTip() for widget in widgets], "tabs": tabs}
sys.stdout.buffer.write(json.dumps(told).encode())
sys.stdout.flush()
import os

os._exit(0)  # the window was never shown; nothing is to be tidied up
"""


def test_another_language_reaches_labels_lists_and_tooltips(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    asked = subprocess.run(
        [sys.executable, str(program), __file__], capture_output=True, encoding="utf-8", check=True, timeout=300
    )
    told = json.loads(asked.stdout)
    shown = {kind: {text for text in texts if WORD.search(NO_WORDS.sub("", text))} for kind, texts in told.items()}
    for kind, least in (("texts", 100), ("tips", 80), ("tabs", 5)):
        assert sum("⟦" in text for text in shown[kind]) >= least, kind
    english = {kind: {text for text in texts if "⟦" not in text} for kind, texts in shown.items()}
    windows = {f"{name.capitalize()} (W {window.width:g} / L {window.level:g})" for name, window in PRESETS.items()}
    of_engine = {*MODEL_TITLES.values(), *METHOD_TITLES.values(), *windows, RESEARCH_ONLY}
    of_engine.add(default_config("lite-medsam", 4).title)  # of the cascade's model
    assert english["tips"] | english["tabs"] == set()
    assert english["texts"] - of_engine - TERMS == set()
