"""What makes commands quick enough to be killed many times: a small network and sample, quick settings, a server here.

The files that they write, and how, stay theirs.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import torch

from pqcomq.backends import fastest
from pqcomq.backends.runtime import Runtime
from pqcomq.cli import demo
from pqcomq.comparison import benchmark
from pqcomq.models import lite_medsam
from pqcomq.models.catalogue.entries import ENTRIES
from pqcomq.models.checkpoint import load_state, read_state
from pqcomq.models.small_encoder import small_encoder
from pqcomq.quantization.planning import presets
from pqcomq.samples import synthetic_ct
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.volume import Volume

FETCHED = "mobile-sam"
"""The model whose weights are fetched; any bytes do, as nothing but their checksum is looked at."""
FETCHED_BYTES = 30_000_000


def small_network(folder: Path) -> None:
    """Let LiteMedSAM have an encoder of few channels; its decoder stays the authors'."""
    network = lite_medsam.architecture()
    load_state(network, read_state(lite_medsam.shipped_checkpoint()), folder, lite_medsam.TITLE)
    network.image_encoder = small_encoder()
    path = folder / "lite_medsam.pth"
    torch.save(network.state_dict(), path)
    lite_medsam.architecture = lambda: copy.deepcopy(network)  # whose making takes longer than all else
    lite_medsam.shipped_checkpoint = lambda: path
    lite_medsam.SHIPPED_SHA256 = hashlib.sha256(path.read_bytes()).hexdigest()


def quick_demo(volume: Volume, labels: np.ndarray) -> None:
    """Let ``demo`` take a small volume and round to nearest, ``bench`` measure once, and both use torch alone."""
    sample = synthetic_ct.Sample(volume, labels, {1: "right kidney"}, {1: Box3D.around(labels == 1)})
    synthetic_ct.synthetic_ct = lambda seed=0: sample
    demo.DEMO_SLICES = 1
    benchmark.BOXES = benchmark._ROUNDS = benchmark._SLICES_A_THREAD = 1
    presets.quick_config = lambda key, bits: presets.default_config(key, bits, "rtn")
    settled = fastest.settled
    fastest.settled = lambda _runtime, models: settled(Runtime.torch, models)
    fastest.hindrance = lambda _runtime: "left out"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_told: object) -> None:
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_told: object) -> None:
        """Say nothing of those who are killed while they fetch."""


def serve_weights(folder: Path) -> None:
    """Let ``models fetch`` have its file from this machine."""
    folder.mkdir()
    entry = ENTRIES[FETCHED]
    data = np.random.default_rng(0).bytes(FETCHED_BYTES)
    (folder / entry.file).write_bytes(data)
    server = _QuietServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/{entry.file}"
    checksum = f"sha256:{hashlib.sha256(data).hexdigest()}"
    ENTRIES[FETCHED] = replace(entry, urls=(url,), checksum=checksum, size=len(data))


def write_checkpoint(path: Path) -> None:
    """Random weights for ``models import``."""
    torch.manual_seed(11)
    torch.save({"model": lite_medsam.architecture().state_dict()}, path)
