"""An environment of the core requirements alone: ``python core_environment.py FOLDER WHEEL_FOLDER``.

Run by an environment that holds the package with all its extras. The new one gets links to what the core requires,
taken from that environment, so that nothing is downloaded a second time: what an extra brings is not there to be
imported, as on a machine where only ``pip install napari-pqcomq`` was run.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "napari-pqcomq"
EXTRAS_ONLY = ("napari", "npe2", "magicgui", "vispy", "qtpy", "PySide6", "openvino")
"""Imported by nothing of the core; if one of them gets in, a requirement is wrong."""


def main(folder: Path, wheel: Path) -> None:
    """Make the environment, and look that nothing of the extras is in it.

    Args:
        folder: to be made.
        wheel: folder into which the package's wheel was installed without its requirements.
    """
    needed = requirements_of(metadata_in(wheel))
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    site = Path(answer(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    for name in needed:
        link_files(distribution(name), site)
    for entry in wheel.iterdir():
        if entry.name != "bin":
            (site / entry.name).symlink_to(entry)
    write_command(folder, python)
    found = answer(python, f"import importlib.util as u; print(*[name for name in {EXTRAS_ONLY} if u.find_spec(name)])")
    if found:
        raise SystemExit(f"the core requirements bring what belongs to an extra: {found}")
    print(f"core: {len(needed) + 1} packages")


def metadata_in(folder: Path) -> Distribution:
    """The package's own metadata, of the wheel and not of the checkout."""
    (info,) = folder.glob("napari_pqcomq-*.dist-info")
    return Distribution.at(info)


def requirements_of(package: Distribution) -> set[str]:
    """Names of all that a package requires here, directly or not, without any extra of its own."""
    seen: set[tuple[str, str]] = set()
    waiting = [(package, "")]
    while waiting:
        current, extra = waiting.pop()
        for line in current.requires or []:
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
                continue
            for wanted in ("", *requirement.extras):
                key = (canonicalize_name(requirement.name), wanted)
                if key not in seen:
                    seen.add(key)
                    waiting.append((distribution(key[0]), wanted))
    return {name for name, _extra in seen}


def link_files(package: Distribution, site: Path) -> None:
    """Links to the files and folders at the top of a distribution; several may share one."""
    for top in {Path(file).parts[0] for file in package.files or []} - {"..", "__pycache__"}:
        link = site / top
        if not link.is_symlink():
            link.symlink_to(Path(str(package.locate_file(top))).resolve())


def write_command(folder: Path, python: Path) -> None:
    """``pqcomq``, as pip would write it."""
    command = folder / ("Scripts" if sys.platform == "win32" else "bin") / "pqcomq"
    command.write_text(f"#!{python}\nfrom pqcomq.cli import main\n\nmain()\n")
    command.chmod(0o755)


def answer(python: Path, program: str) -> str:
    """What a short program prints in the new environment."""
    return subprocess.run([python, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
