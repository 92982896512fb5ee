"""A decoder that dies, hangs or eats memory ends its own process, is told in a sentence, and the next file is read."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from imagecodecs import jpeg2k_encode
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.decoding import decoder_process, decoders
from pqcomq.volumes.dicom.decoding.decode import decode_frame
from pqcomq.volumes.volume_reader import read_volume

SHAPE, DTYPE = (16, 12), np.dtype("u2")
PIXELS = np.arange(192, dtype=np.uint16).reshape(SHAPE)
GOOD = jpeg2k_encode(PIXELS, level=0, codecformat="j2k")


@pytest.fixture
def hostile(monkeypatch):
    """One process whose decoder does what it is told; nothing of it is there at the end."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    made = decoders.Decoders(1, "hostile_worker")
    monkeypatch.setattr(decoders._Kept, "decoders", made)
    before = set(psutil.Process().children(recursive=True))
    yield made
    made.end()
    left = [each for each in psutil.Process().children(recursive=True) if each not in before]
    assert not left, "processes are left, or were not waited for"


def decoded(codestream, told=("slice 12", "IM12.dcm")):
    return decode_frame(codestream, JPEG2000Lossless, SHAPE, DTYPE, told)


def open_files():
    return psutil.Process().num_fds() if hasattr(psutil.Process, "num_fds") else 0


@pytest.mark.parametrize("deed", ["abrt", "exit", *(["segv"] if os.name == "posix" else [])])
def test_a_death_is_told_and_the_next_frame_is_read(hostile, deed):
    assert np.array_equal(decoded(GOOD), PIXELS)
    before = open_files()
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            decoded(b"\xff\x4f" + deed.encode())
        assert str(caught.value) == "The decoder of JPEG 2000 ended while reading slice 12 (IM12.dcm)."
        assert np.array_equal(decoded(GOOD), PIXELS)
    assert open_files() == before


def test_a_decoder_that_hangs_is_ended(hostile, monkeypatch):
    monkeypatch.setattr(decoder_process, "SECONDS", 1.0)
    with pytest.raises(InputError, match=r"took over 1 s while reading slice 12 \(IM12.dcm\)"):
        decoded(b"\xff\x4fhang")
    assert np.array_equal(decoded(GOOD), PIXELS)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_a_decoder_that_eats_memory_is_stopped_and_lives(hostile):
    with hostile.one() as process:
        pid = process.pid
    with pytest.raises(ValueError, match="more memory is needed than the picture can take"):
        decoded(b"\xff\x4feats")
    with hostile.one() as process:
        assert process.pid == pid
    assert np.array_equal(decoded(GOOD), PIXELS)


def test_a_process_that_is_killed_amid_a_frame_is_told(hostile):
    with hostile.one() as process:
        pid = process.pid
    killer = threading.Timer(0.3, psutil.Process(pid).kill)
    killer.start()
    with pytest.raises(InputError, match=r"The decoder of JPEG 2000 ended while reading slice 12"):
        decoded(b"\xff\x4fwait")
    assert not psutil.pid_exists(pid)
    assert np.array_equal(decoded(GOOD), PIXELS)


def test_a_process_that_was_killed_while_idle_is_replaced_without_a_word(hostile):
    with hostile.one() as process:
        pid = process.pid
    psutil.Process(pid).kill()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], 5)
    assert np.array_equal(decoded(GOOD), PIXELS)
    assert not psutil.pid_exists(pid)


def test_a_damaged_frame_costs_no_process(hostile):
    with hostile.one() as process:
        pid = process.pid
    with pytest.raises(ValueError, match="ValueError: ") as caught:
        decoded(GOOD[:40])
    assert not isinstance(caught.value, InputError)
    with hostile.one() as process:
        assert process.pid == pid


def test_idle_processes_are_ended(monkeypatch):
    monkeypatch.setattr(decoders, "IDLE_SECONDS", 0.2)
    made = decoders.Decoders(2)
    with made.one() as process:
        pid = process.pid
    ended = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < ended:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
    with made.one() as process:
        assert process.decode("JPEG 2000", GOOD, SHAPE, DTYPE).tolist() == PIXELS.tolist()
    made.end()


def test_large_frames_are_decoded_and_their_room_is_given_back():
    large = np.zeros((6000, 6000), np.uint16)
    process = decoder_process.DecoderProcess()
    try:
        got = process.decode("JPEG 2000", jpeg2k_encode(large, level=0), large.shape, DTYPE)
        assert np.array_equal(got, large)
        assert len(process._shared.room) < large.nbytes
        assert np.array_equal(process.decode("JPEG 2000", GOOD, SHAPE, DTYPE), PIXELS)
    finally:
        process.end()


def test_a_series_with_a_deadly_slice_is_refused_and_another_is_read(tmp_path, dicom, hostile):
    for index in range(3):
        for folder, frame in (("good", GOOD), ("deadly", b"\xff\x4fabrt" if index == 1 else GOOD)):
            place = [0.0, 0.0, float(index)]
            dataset = dicom.slice(PIXELS, ImagePositionPatient=place, InstanceNumber=index + 1, PixelRepresentation=0)
            dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
            dataset.PixelData = encapsulate([frame])
            dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
            dicom.save(dataset, tmp_path / folder / f"{index}.dcm")
    with pytest.raises(InputError, match=r"The decoder of JPEG 2000 ended while reading slice 2 \(.*1\.dcm\)\.$"):
        read_volume(tmp_path / "deadly", modality="CT")
    assert read_volume(tmp_path / "good", modality="CT").voxels.shape == (3, *SHAPE)


SCRIPT = """
import sys
import numpy as np
from imagecodecs import jpeg2k_encode
from pqcomq.volumes.dicom.decoding.decode import decode_frame
print("begun")
pixels = np.ones((8, 8), np.uint16)
got = decode_frame(jpeg2k_encode(pixels, level=0), "1.2.840.10008.1.2.4.90", (8, 8), np.dtype("u2"), ("it", "x"))
assert (got == pixels).all()
if "die" in sys.argv:
    import os
    from pqcomq.volumes.dicom.decoding.decoders import decoders
    with decoders().one() as process:
        print(process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_script_without_a_guard_runs_once_and_leaves_no_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["begun"], "")


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX's")
def test_a_killed_parent_leaves_no_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, "die"], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == -9, done.stderr
    pid, ended = int(done.stdout.split()[1]), time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" and time.monotonic() < ended:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"  # of whoever adopts orphans here
