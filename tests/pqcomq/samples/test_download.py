import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.errors import InputError
from pqcomq.samples import real_ct as real_ct_module
from pqcomq.samples.download import download
from pqcomq.samples.real_ct import real_ct

CONTENT = np.random.default_rng(0).bytes(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``content``, with ranges unless told not to; breaks off after ``cut`` bytes; keeps what it was asked."""

    daemon_threads = True
    content = CONTENT
    ranges = True
    cut: int | None = None
    status = 200

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, span = self.server, self.headers["Range"]
        server.asked.append(span)
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span and server.ranges else 0
        if server.status != 200 or start >= len(server.content):
            self.send_response(server.status if server.status != 200 else 416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        rest = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest if server.cut is None else rest[: server.cut])

    def log_message(self, *_: object) -> None:
        pass


class Bar:
    total: float | None = None

    def __init__(self) -> None:
        self.done = 0.0

    def update(self, n: float) -> None:
        self.done += n


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once_and_its_progress_told(server, tmp_path):
    bar = Bar()
    path = download(server.url, SHA256, tmp_path / "new" / "cache", "data.bin", bar)
    assert path == tmp_path / "new" / "cache" / "data.bin"
    assert path.read_bytes() == CONTENT
    assert bar.total == bar.done == len(CONTENT)
    assert download(server.url, SHA256, path.parent, "data.bin") == path
    assert server.asked == [None], "the second time it is at hand"
    assert names(path.parent) == ["data.bin"]


def test_a_damaged_file_in_the_cache_is_fetched_again(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT[:-1] + b"x")
    assert download(server.url, SHA256, tmp_path, "data.bin").read_bytes() == CONTENT


def test_a_wrong_file_is_removed(server, tmp_path):
    with pytest.raises(InputError, match=r"data\.bin from 127\.0\.0\.1:\d+ is damaged or not the expected file"):
        download(server.url, "0" * 64, tmp_path, "data.bin")
    assert names(tmp_path) == []


def test_a_download_that_broke_off_is_resumed(server, tmp_path):
    server.cut = 600_000
    with pytest.raises(InputError, match=r"broke off; 0\.[56] MB are kept"):
        download(server.url, SHA256, tmp_path, "data.bin")
    assert names(tmp_path) == ["data.bin.part"]
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert 0 < kept <= 600_000
    server.cut = None
    bar = Bar()
    assert download(server.url, SHA256, tmp_path, "data.bin", bar).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={kept}-"]
    assert bar.total == bar.done == len(CONTENT)
    assert names(tmp_path) == ["data.bin"]


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:1000])
    server.ranges = False
    bar = Bar()
    assert download(server.url, SHA256, tmp_path, "data.bin", bar).read_bytes() == CONTENT
    assert bar.total == bar.done == len(CONTENT)


def test_a_part_that_is_whole_needs_no_more_data(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    assert download(server.url, SHA256, tmp_path, "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"not what the server has", CONTENT + b"too much"])
def test_a_part_of_something_else_is_found_out_and_removed(server, tmp_path, part):
    (tmp_path / "data.bin.part").write_bytes(part)
    with pytest.raises(InputError, match="damaged"):
        download(server.url, SHA256, tmp_path, "data.bin")
    assert names(tmp_path) == []
    assert download(server.url, SHA256, tmp_path, "data.bin").read_bytes() == CONTENT


def test_a_bar_can_stop_the_download_and_what_came_is_kept(server, tmp_path):
    class Stopping(Bar):
        def update(self, n: float) -> None:
            super().update(n)
            if self.done > 500_000:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(server.url, SHA256, tmp_path, "data.bin", Stopping())
    assert names(tmp_path) == ["data.bin.part"]
    assert download(server.url, SHA256, tmp_path, "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (503, "503 Service Unavailable")])
def test_a_server_that_refuses_is_quoted(server, tmp_path, status, words):
    server.status = status
    with pytest.raises(InputError, match=words):
        download(server.url, SHA256, tmp_path, "data.bin")
    assert names(tmp_path) == []


def test_without_a_connection_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    closed = Server()
    closed.server_close()
    with pytest.raises(InputError, match=r"data\.bin could not be downloaded: there is no connection to 127\.0\.0\.1"):
        download(closed.url, SHA256, tmp_path, "data.bin")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be stored in"):
        download(server.url, SHA256, tmp_path / "file", "data.bin")


def test_the_real_ct_is_read_and_says_where_it_comes_from(server, tmp_path, monkeypatch):
    voxels = np.random.default_rng(1).integers(-1024, 1500, size=(5, 6, 7), dtype=np.int32)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.7, 1.5))
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(tmp_path / "made.nrrd"), useCompression=True)
    server.content = (tmp_path / "made.nrrd").read_bytes()
    monkeypatch.setattr(real_ct_module, "URL", server.url)
    monkeypatch.setattr(real_ct_module, "SHA256", hashlib.sha256(server.content).hexdigest())
    bar = Bar()
    volume = real_ct(bar, cache=tmp_path / "cache")
    np.testing.assert_array_equal(volume.voxels, voxels[:, ::-1, ::-1])
    assert volume.voxels.dtype == np.int16
    assert volume.modality == "CT"
    assert volume.grid.orientation == "LPS"
    assert volume.source == tmp_path / "cache" / "CTLiver.nrrd"
    assert "CC BY-SA 4.0" in volume.notes[0]
    assert bar.done == len(server.content)


def test_a_file_that_is_no_nrrd_is_told(server, tmp_path, monkeypatch):
    monkeypatch.setattr(real_ct_module, "URL", server.url)
    monkeypatch.setattr(real_ct_module, "SHA256", SHA256)
    with pytest.raises(InputError, match="could not be read as NRRD"):
        real_ct(cache=tmp_path)


def test_the_address_of_the_real_ct_is_its_checksum():
    assert real_ct_module.URL.endswith(f"/SHA256/{real_ct_module.SHA256}")
    assert len(bytes.fromhex(real_ct_module.SHA256)) == 32
