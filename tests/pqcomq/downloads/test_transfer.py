import hashlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pqcomq.downloads import transfer
from pqcomq.downloads.transfer import Wanted, download, fetch
from pqcomq.errors import InputError
from pqcomq.run_lock import only_run
from pqcomq.samples import real_ct as real_ct_module
from pqcomq.samples.real_ct import real_ct

CONTENT = np.random.default_rng(0).bytes(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Bar:
    total: float | None = None

    def __init__(self) -> None:
        self.done = 0.0

    def update(self, n: float) -> None:
        self.done += n


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


def test_without_a_connection_it_says_so(nobody, tmp_path):
    with pytest.raises(InputError, match=r"data\.bin could not be downloaded: there is no connection to 127\.0\.0\.1"):
        download(nobody, SHA256, tmp_path, "data.bin")
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


def wanted(*servers, **changes) -> Wanted:
    return Wanted("data.bin", tuple(each.url for each in servers), f"sha256:{SHA256}", len(CONTENT), **changes)


PAGE = b"<!DOCTYPE html><html><title>Sign in to the hospital's network</title></html>"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"status": 503}, "503 Service Unavailable"),
        ({"content": PAGE}, "sent a web page in place of data.bin"),
        ({"content": bytes(len(CONTENT))}, "its SHA-256 differs"),
        ({"content": CONTENT + b"more"}, "longer than data.bin, which has 1.0 MB"),
        ({"content": CONTENT + b"more", "length": 0}, "longer than data.bin"),
        ({"length": 500_000}, "its SHA-256 differs"),
        ({"length": 10**15}, "longer than data.bin"),
        ({"cut": 300_000}, "broke off"),
        ({"stall": 2.0}, "broke off"),
        ({"silence": 1.0}, "sent nothing for too long"),
        ({"to": "http://127.0.0.1:1/nowhere"}, "no connection to 127.0.0.1:1."),
        ({"to": "/file"}, "sends on from address to address without end"),
        ({"to": "ftp://127.0.0.1/file"}, "sends on to an address that is none of the web"),
        ({"to": "http://[nonsense"}, "sends on to an address that is none of the web"),
    ],
)
def test_the_next_place_is_asked_where_one_fails(servers, tmp_path, trouble, words):
    first, second = servers
    for name, value in trouble.items():
        setattr(first, name, value)
    alone = wanted(first, patience=(1.0, 0.4))
    with pytest.raises(InputError) as error:
        fetch(alone, tmp_path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert set(names(tmp_path)) <= {"data.bin.part"}
    assert fetch(wanted(first, second, patience=(1.0, 0.4)), tmp_path).read_bytes() == CONTENT
    assert names(tmp_path) == ["data.bin"]


def test_where_no_place_has_it_all_are_told(servers, tmp_path):
    servers[0].status, servers[1].content = 404, PAGE
    with pytest.raises(InputError, match=r"from any of 2 places: .*404 Not Found.* sent a web page"):
        fetch(wanted(*servers), tmp_path)
    assert names(tmp_path) == []


def test_what_broke_off_is_tried_again_from_there_and_the_bar_counts_once(server, tmp_path):
    server.cut = 400_000
    bar = Bar()
    assert fetch(wanted(server, attempts=4), tmp_path, bar).read_bytes() == CONTENT
    assert server.asked[0] is None
    assert all(each.startswith("bytes=") for each in server.asked[1:])
    assert bar.done == bar.total == len(CONTENT)


def test_a_part_of_another_file_is_replaced_in_the_second_attempt(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"of yesterday's version")
    assert fetch(wanted(server, attempts=2), tmp_path).read_bytes() == CONTENT


def test_redirections_are_followed(servers, tmp_path):
    servers[0].to = servers[1].url
    assert fetch(wanted(servers[0]), tmp_path).read_bytes() == CONTENT


def test_without_room_nothing_is_written(server, tmp_path, monkeypatch):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"no room for data\.bin: 1 MB are needed in .*, and 0 MB are free"):
        fetch(wanted(server), tmp_path)
    assert names(tmp_path) == []


def test_an_md5_is_compared_too(server, tmp_path):
    md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    assert fetch(Wanted("a", (server.url,), f"md5:{md5}"), tmp_path).read_bytes() == CONTENT
    with pytest.raises(InputError, match="its MD5 differs"):
        fetch(Wanted("b", (server.url,), f"md5:{md5[::-1]}"), tmp_path)


def test_a_proxy_of_the_environment_is_asked(servers, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("http_proxy", servers[1].url)
    assert fetch(Wanted("a", ("http://models.invalid/a",), f"sha256:{SHA256}"), tmp_path).read_bytes() == CONTENT
    assert servers[1].asked


def test_a_proxy_that_is_not_there_is_told_and_its_password_is_not(nobody, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, nobody.replace("://", "://anna:secret@"))
    for scheme in ("http", "https"):
        with pytest.raises(InputError, match=r"the proxy that is set .* gives no connection") as error:
            fetch(Wanted("a", (f"{scheme}://models.invalid/a",), f"sha256:{SHA256}"), tmp_path)
        assert "secret" not in str(error.value)


def test_a_proxy_that_refuses_a_tunnel_is_quoted(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("https_proxy", server.url)  # it knows no CONNECT
    with pytest.raises(InputError, match=r"the proxy that is set .* answers 501"):
        fetch(Wanted("a", ("https://models.invalid/a",), f"sha256:{SHA256}"), tmp_path)


def test_a_server_without_encryption_where_there_should_be_is_told(server, tmp_path):
    with pytest.raises(InputError, match="there is no encrypted connection to 127"):
        download(server.url.replace("http:", "https:"), SHA256, tmp_path, "data.bin")


class Response:
    """Of a server with encryption, by the way of one without."""

    url, history, status_code = "https://models.invalid/b", [type("On", (), {"url": "http://models.invalid/a"})], 200

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_no_way_leads_past_encryption(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer.requests, "get", lambda *_asked, **_named: Response())
    with pytest.raises(InputError, match="sends on to an address without encryption"):
        download("https://models.invalid/a", SHA256, tmp_path, "data.bin")


@pytest.mark.parametrize(
    ("content", "ranges"), [(PAGE, False), (PAGE, True), (b'{"error": 3}', False), (CONTENT + b"more", False)]
)
def test_what_is_here_is_not_given_up_for_something_else(server, tmp_path, content, ranges):
    (tmp_path / "data.bin.part").write_bytes(CONTENT[:700_000])
    server.content, server.ranges = content, ranges
    with pytest.raises(InputError):
        fetch(wanted(server), tmp_path)
    server.content, server.ranges = CONTENT, True
    assert fetch(wanted(server), tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=700000-"


def test_what_was_resumed_wrongly_after_it_broke_off_is_fetched_anew(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"of yesterday's version")
    server.cut = 600_000
    assert fetch(wanted(server, attempts=4), tmp_path).read_bytes() == CONTENT


def test_where_the_check_is_interrupted_nothing_has_to_be_fetched_again(server, tmp_path, monkeypatch):
    def interrupted(*_given, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pooch.core.hash_matches", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(wanted(server), tmp_path)
    assert names(tmp_path) == ["data.bin.part"]
    (tmp_path / ".data.bin.incoming").mkdir()  # of a process that was killed there
    (tmp_path / ".data.bin.incoming" / "tmp1234").write_bytes(b"part")
    assert fetch(wanted(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={len(CONTENT)}-"]
    assert names(tmp_path) == ["data.bin"]


def test_two_processes_do_not_write_one_file(server, tmp_path):
    with only_run(tmp_path / ".data.bin.lock", tmp_path):
        with pytest.raises(InputError, match=r"data\.bin is being fetched by another process; wait until it has ended"):
            fetch(wanted(server), tmp_path)
        assert not server.asked
        (tmp_path / "data.bin").write_bytes(CONTENT)
        assert fetch(wanted(server), tmp_path).read_bytes() == CONTENT, "what is here is read by both"


def test_a_file_without_a_published_checksum_is_taken_as_it_comes(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"nothing tells whether this belongs to it")
    assert fetch(Wanted("data.bin", (server.url,), ""), tmp_path).read_bytes() == CONTENT
    assert fetch(Wanted("data.bin", (server.url,), ""), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None]
    assert names(tmp_path) == ["data.bin"]
