"""The process is set up for speed where it is ours, and left alone where it is not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pqcomq.comparison.published_baseline import published_encoder
from pqcomq.cpu_settings import environment_without_settings, keep_freed_memory

SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")

LINUX = pytest.mark.skipif("linux" not in sys.platform, reason="glibc's allocator and /proc are Linux's")

MAPS_LARGE_BUFFERS = """
import ctypes

libc = ctypes.CDLL(None)
names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
MallInfo = type("MallInfo", (ctypes.Structure,), {"_fields_": [(name, ctypes.c_size_t) for name in names.split()]})
libc.mallinfo2.restype, libc.malloc.restype = MallInfo, ctypes.c_void_p

def maps_large_buffers():
    before = libc.mallinfo2().hblks
    assert libc.malloc(ctypes.c_size_t(64 * 2**20))
    return libc.mallinfo2().hblks > before
"""
"""As glibc comes, a buffer of 64 MiB is mapped; set up to keep freed memory, it is not."""


def in_a_new_process(code, **environment):
    """What a Python program without any setting of ours prints, from JSON."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment_without_settings() | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


def settings_after(code, **environment):
    told = f"{code}\nimport json, os\nprint(json.dumps([os.environ.get(name) for name in {SETTINGS!r}]))"
    return dict(zip(SETTINGS, in_a_new_process(told, **environment), strict=True))


APPLIED = "from pqcomq.cpu_settings import apply_cpu_settings\napply_cpu_settings()"


def test_waiting_threads_sleep_unless_the_user_said_otherwise():
    assert settings_after(APPLIED)["OMP_WAIT_POLICY"] == "PASSIVE"
    assert settings_after(APPLIED)["GOMP_SPINCOUNT"] == "2000"
    own = settings_after(APPLIED, OMP_WAIT_POLICY="ACTIVE")
    assert own["OMP_WAIT_POLICY"] == "ACTIVE"
    assert own["GOMP_SPINCOUNT"] is None


def test_large_tensors_get_huge_pages_unless_the_user_said_otherwise():
    assert settings_after(APPLIED)["THP_MEM_ALLOC_ENABLE"] == "1"
    assert settings_after(APPLIED, THP_MEM_ALLOC_ENABLE="0")["THP_MEM_ALLOC_ENABLE"] == "0"


@pytest.mark.parametrize("package", ["pqcomq", "napari_pqcomq"])
def test_importing_a_package_changes_nothing_in_the_process(package):
    code = f"""
import json, os
before = dict(os.environ)
import {package}
from pqcomq.cpu_settings import keeps_freed_memory
print(json.dumps([dict(os.environ) == before, keeps_freed_memory()]))
"""
    assert in_a_new_process(code) == [True, False]


@LINUX
def test_the_allocator_is_left_alone_by_an_import_and_set_up_by_the_settings():
    code = f"""
{MAPS_LARGE_BUFFERS}
import json
import pqcomq, napari_pqcomq
from pqcomq.cpu_settings import apply_cpu_settings, keeps_freed_memory
told = [maps_large_buffers(), keeps_freed_memory()]
apply_cpu_settings()
print(json.dumps([*told, maps_large_buffers(), keeps_freed_memory()]))
"""
    assert in_a_new_process(code) == [True, False, False, True]


@LINUX
def test_freed_memory_goes_back_but_in_a_process_that_keeps_it_only_between_long_works():
    code = """
import ctypes, json, os
from pqcomq.cpu_settings import apply_cpu_settings, give_back_between, give_back_freed_memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def freed(megabytes):
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(ctypes.c_size_t(2**16)) for _ in range(16 * megabytes)]
    for block in blocks:
        ctypes.memset(block, 1, 2**16)
    for block in blocks[:-1]:  # the last one holds the heap's end
        libc.free(block)

freed(200)
before = resident()
told = [give_back_freed_memory(), before - resident() > 150 * 2**20]
apply_cpu_settings()
freed(200)
before = resident()
told += [give_back_freed_memory(), before - resident() > 150 * 2**20]
print(json.dumps([*told, give_back_between(), before - resident() > 150 * 2**20]))
"""
    assert in_a_new_process(code) == [True, True, False, False, True, True]


def test_the_plugin_sets_the_process_up_only_where_its_user_asks():
    assert settings_after("import napari_pqcomq", PQCOMQ_CPU_SETTINGS="1")["OMP_WAIT_POLICY"] == "PASSIVE"
    assert settings_after("import napari_pqcomq", PQCOMQ_CPU_SETTINGS="0")["OMP_WAIT_POLICY"] is None


def test_the_command_line_sets_up_its_own_process_and_no_other_program_s():
    ending = "\ntry:\n    main({})\nexcept SystemExit:\n    pass\n"
    start = "import contextlib, io, sys\nsys.argv = ['pqcomq', '--version']\nfrom pqcomq.cli import main"
    quiet = start + "\nwith contextlib.redirect_stdout(io.StringIO()):" + ending.replace("\n", "\n    ")
    assert settings_after(quiet.format(""))["OMP_WAIT_POLICY"] == "PASSIVE"
    assert settings_after(quiet.format("['--version']"))["OMP_WAIT_POLICY"] is None


def test_environment_records_what_the_allocator_does():
    code = """
import json
from pqcomq.comparison.environment import Environment
from pqcomq.cpu_settings import apply_cpu_settings, keep_freed_memory
told = [Environment.here().keeps_freed_memory]
apply_cpu_settings()
print(json.dumps([*told, Environment.here().keeps_freed_memory == keep_freed_memory()]))
"""
    assert in_a_new_process(code) == [False, True]


@LINUX
def test_the_published_encoder_runs_in_a_process_without_our_settings(monkeypatch):
    for name in SETTINGS:
        monkeypatch.setenv(name, "1")
    with published_encoder("lite-medsam", threads=1) as encoder:
        kept = Path(f"/proc/{encoder.pid}/environ")
        while not (environment := kept.read_bytes().decode(errors="replace")):
            time.sleep(0.01)  # Linux has let the new program in, and is about to hand it its environment
    names = {entry.partition("=")[0] for entry in environment.split("\0")}
    assert "PATH" in names
    assert not names & set(SETTINGS)


@LINUX
def test_freed_memory_is_kept_on_linux():
    assert keep_freed_memory()


def test_elsewhere_the_allocator_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert not keep_freed_memory()


def test_a_process_started_without_our_settings_keeps_everything_else(monkeypatch):
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    kept = environment_without_settings()
    assert kept["OMP_NUM_THREADS"] == "3"
    assert set(os.environ) - set(kept) <= set(SETTINGS)
