"""Other packages' warnings go to a log file, our own to the terminal; only in a process of our own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from pqcomq.cpu_settings import environment_without_settings
from pqcomq.quiet_terminal import log_file, log_file_title

PROGRAM = """
import logging, sys, warnings
from pathlib import Path
import pqcomq
from pqcomq.quiet_terminal import keep_others_warnings_in_log

keep_others_warnings_in_log(Path(sys.argv[1]))
own = str(Path(pqcomq.__file__).parent / "models" / "registry.py")
warnings.warn_explicit("timm has moved", FutureWarning, "/site-packages/timm/layers.py", 3)
warnings.warn_explicit("our own remark", UserWarning, own, 7)
warnings.warn_explicit("Unknown encoding 'Kunigunde'", UserWarning, "/site-packages/pydicom/charset.py", 5)
logging.getLogger("PIL").warning("an odd tag")
try:
    raise ValueError("of Kunigunde")
except ValueError:
    logging.getLogger("pydicom.values").exception("Invalid value for VR LO: %r", "Kunigunde")
logging.getLogger("pqcomq.volumes").warning("our own record")
"""


def run(path, *options, **environment):
    ran = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM, str(path)],
        env=environment_without_settings() | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stderr


def test_others_warnings_are_kept_in_the_log_and_ours_are_shown(tmp_path):
    log = tmp_path / "new" / "folder" / "warnings.log"
    shown = run(log)
    kept = log.read_text(encoding="utf-8")
    assert "our own remark" in shown
    assert "our own record" in shown
    assert "timm" not in shown
    assert "odd tag" not in shown
    assert "FutureWarning: timm has moved" in kept
    assert "PIL: an odd tag" in kept
    assert "UserWarning, /site-packages/pydicom/charset.py:5" in kept
    assert "pydicom.values: " in kept
    assert "Kunigunde" not in kept + shown, "what a library quotes of a header"
    assert "our own" not in kept


@pytest.mark.parametrize(("options", "environment"), [(["-Wdefault"], {}), ([], {"PQCOMQ_DEBUG": "1"})])
def test_who_asks_for_warnings_sees_all(tmp_path, options, environment):
    log = tmp_path / "warnings.log"
    shown = run(log, *options, **environment)
    assert "timm has moved" in shown
    assert "an odd tag" in shown
    assert not log.exists()


def test_what_cannot_be_kept_is_shown(tmp_path):
    (tmp_path / "file").write_text("no folder")
    shown = run(tmp_path / "file" / "warnings.log")
    assert "timm has moved" in shown
    assert "Traceback" not in shown


def test_napari_s_own_way_with_warnings_is_taken_over_again(tmp_path):
    code = textwrap.dedent("""
        import sys, warnings
        from pathlib import Path
        import pqcomq
        from pqcomq.quiet_terminal import keep_others_warnings_in_log, redirect_others_warnings

        keep_others_warnings_in_log(Path(sys.argv[1]))
        warnings.showwarning = lambda message, *rest: print("popped up:", message)
        redirect_others_warnings()
        own = str(Path(pqcomq.__file__).parent / "x.py")
        warnings.warn_explicit("timm has moved", FutureWarning, "/site-packages/timm/layers.py", 3)
        warnings.warn_explicit("our own remark", UserWarning, own, 7)
    """)
    log = tmp_path / "warnings.log"
    ran = subprocess.run([sys.executable, "-c", code, str(log)], capture_output=True, text=True, check=True)
    assert ran.stdout == "popped up: our own remark\n"
    assert "timm has moved" in log.read_text()


def test_a_user_without_a_home_is_told_the_whole_path(monkeypatch):
    """As in a container: the command line asks for it when it is imported."""

    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pqcomq.quiet_terminal.Path.home", nowhere)
    assert log_file_title() == str(log_file())
