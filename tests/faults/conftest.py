"""Disks of the tests' own, where the system lets one be mounted."""

from __future__ import annotations

import shutil
import subprocess

import pytest


@pytest.fixture
def mounted():
    """A function that mounts a disk in memory, with options, on a folder; it tells whether that was possible."""
    folders = []

    def mount(folder, options):
        program = shutil.which("mount")
        command = [program, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if not program or subprocess.run(command, capture_output=True, check=False).returncode:
            return False
        folders.append(folder)
        return True

    yield mount
    for folder in folders:
        subprocess.run([shutil.which("umount") or "umount", str(folder)], check=True)
