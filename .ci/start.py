"""Set up the checkout and run one thing: ``python3 .ci/start.py demo`` or ``python3 .ci/start.py test``.

Needs nothing but Python 3.11 or newer. Everything is installed into ``.venv/`` beside this folder; on Debian the system
libraries that a window needs are installed too when run as root, and otherwise named in the line that installs them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = PROGRAMS / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "installed.sha256"

DEBIAN_PACKAGES = [
    "xvfb",
    "xauth",
    "libegl1",
    "libgl1",
    "libgl1-mesa-dri",
    "libopengl0",
    "libglib2.0-0",
    "libfontconfig1",
    "libdbus-1-3",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xinerama0",
    "libxcb-xkb1",
    "fonts-dejavu-core",
]
"""Qt's libraries, Mesa's software OpenGL, a font, and a screen where there is none."""
WINDOWLESS = ["-p", "no:napari", "-p", "no:npe2", "-p", "no:pytest-qt"]
"""The engine's fast tests open no window: spares each worker the seconds in which these plugins of pytest load."""
MEMORY_OF_TWO_WORKERS = 14 << 30
"""Bytes: one worker compiles whole models for several runtimes, the other keeps windows."""


def main(arguments: list[str]) -> int:
    """Set up, then run the demo (default) or the tests, handing on all further arguments."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is the one that an older Python may meet
        print(f"Python 3.11 or newer is needed; this is {platform.python_version()}.", file=sys.stderr)
        return 2
    what, rest = (arguments[0], arguments[1:]) if arguments else ("demo", [])
    if what not in {"demo", "test", "setup"}:
        print("usage: start.py demo [--headless] [--out DIR] | test [PYTEST OPTIONS] | setup", file=sys.stderr)
        return 2
    install_system_libraries()
    install_package("napari,openvino" if what == "demo" else "dev")
    if what == "demo":
        return run([PROGRAMS / "pqcomq", "demo", *rest])
    if what == "setup":
        return 0
    options = WINDOWLESS if ("-m", "fast") in pairwise(rest) else []
    return run([PYTHON, "-m", "pytest", *workers(rest), *options, *rest])


def run(command: list[str | Path], **environment: str) -> int:
    """Run a command in the checkout; its exit status.

    Where Python is told to keep no compiled modules it is told so no more: the tests start a hundred processes, and
    each would spend seconds on compiling the same ones. Git ignores them.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([str(part) for part in command], cwd=CHECKOUT, env=inherited | environment).returncode


def demand(command: list[str | Path], **environment: str) -> None:
    """Run a command that must succeed."""
    status = run(command, **environment)
    if status != 0:
        raise SystemExit(status)


def install_system_libraries() -> None:
    """On Debian and its kin: what the distribution must provide, installed as root, else told."""
    if shutil.which("dpkg-query") is None:
        return
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev}\n", *DEBIAN_PACKAGES]
    shown = subprocess.run(query, capture_output=True, text=True).stdout
    present = {line.split()[0] for line in shown.splitlines() if line.split()[1:2] == ["ii"]}
    missing = [package for package in DEBIAN_PACKAGES if package not in present]
    if not missing:
        return
    if os.geteuid() != 0:
        print(
            f"Missing system libraries; install them with:\n  sudo apt-get install {' '.join(missing)}", file=sys.stderr
        )
        return
    demand(["apt-get", "update", "-qq"])
    demand(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], DEBIAN_FRONTEND="noninteractive")


def install_package(extras: str) -> None:
    """The package and what its extras need into ``.venv/``, editable; quick when nothing has changed."""
    if not PYTHON.exists():
        make_venv()
    wanted = hashlib.sha256((CHECKOUT / "setup.cfg").read_bytes() + sys.version.encode()).hexdigest()
    done = STAMP.read_text().split() if STAMP.exists() else []
    # "dev" holds everything that the demo needs.
    if done[:1] == [wanted] and (extras in done or "dev" in done):
        return
    print(f"Installing into {VENV} (several minutes the first time) …", flush=True)
    demand([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", f".[{extras}]"])
    STAMP.write_text(f"{wanted} {extras}\n")


def make_venv() -> None:
    """Make ``.venv/``; Debian keeps the module for it in a package of its own."""
    if run([sys.executable, "-m", "venv", VENV]) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"Python's venv module is missing; on Debian: sudo apt-get install {package}", file=sys.stderr)
        raise SystemExit(2)
    demand(["apt-get", "update", "-qq"])
    demand(["apt-get", "install", "-y", "-qq", package], DEBIAN_FRONTEND="noninteractive")
    demand([sys.executable, "-m", "venv", VENV])


def workers(options: list[str]) -> list[str]:
    """Two workers for the tests where cores and memory are enough for them and nothing else was asked for."""
    if any(option.startswith(("-n", "--numprocesses", "--pdb")) for option in options) or (os.cpu_count() or 1) < 2:
        return []
    if hasattr(os, "sysconf") and os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") < MEMORY_OF_TWO_WORKERS:
        return []
    return ["-n", "2"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
