"""Models are fetched once, checked, taken over, verified and removed; every obstacle is one sentence."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from pqcomq.errors import InputError
from pqcomq.models.catalogue import fetching, model_store
from pqcomq.models.catalogue.entries import ENTRIES, entry_of
from pqcomq.models.catalogue.fetching import fetch_model, import_model, verify_model
from pqcomq.models.catalogue.model_store import forget, record_of
from pqcomq.models.lite_medsam import SHIPPED_SHA256
from pqcomq.models.mobile_sam import architecture
from pqcomq.models.registry import MODEL_KEYS, MODEL_TITLES, load_model

KEY = "mobile-sam"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small model's checkpoint: MobileSAM's layout, random weights."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("checkpoint") / "mobile_sam.pt"
    torch.save(architecture().state_dict(), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def offered(servers, checkpoint, monkeypatch, folder):
    """The two servers offer the checkpoint, and the catalogue says so; its hash is published as MD5 alone."""
    content = checkpoint.read_bytes()
    for each in servers:
        each.content = content
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    entry = replace(entry_of(KEY), urls=tuple(each.url for each in servers), size=len(content), checksum=f"md5:{md5}")
    monkeypatch.setitem(ENTRIES, KEY, entry)
    monkeypatch.setattr(fetching, "PATIENCE", (1.0, 0.4))
    return servers


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_every_model_is_in_the_catalogue_with_all_that_is_to_be_known():
    assert tuple(ENTRIES) == MODEL_KEYS
    for key, entry in ENTRIES.items():
        assert entry.title == MODEL_TITLES[key]
        assert entry.page.startswith("https://")
        assert all(url.startswith("https://") for url in entry.urls)
        assert len(bytes.fromhex(entry.checksum.partition(":")[2])) in ((16, 32) if entry.size else (0,))
        assert entry.prompts in (("box",), ("box", "points"), ("scribble",))
        assert entry.embedded or entry.urls or key == "lite-medsam-scribble"
        assert all((entry.licence, entry.citation, entry.trained_on, entry.preprocessing, entry.checksum_from))
    assert ENTRIES["lite-medsam"].checksum == f"sha256:{SHIPPED_SHA256}"
    for size in "blh":  # the authors name their files by the first digits of the checksum
        entry = ENTRIES[f"sam-vit-{size}"]
        assert entry.checksum.removeprefix("md5:").startswith(entry.file.removesuffix(".pth")[-6:])


def test_a_model_is_fetched_once_pinned_and_loaded_by_name(offered, folder, checkpoint):
    path = fetch_model(KEY, accept_licence=True)
    assert path.read_bytes() == checkpoint.read_bytes()
    assert left(folder) == ["mobile-sam.json", "mobile_sam.pt"]
    sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert record_of(KEY).sha256 == sha256
    loaded = load_model(KEY)
    assert loaded.checkpoint_sha256 == sha256
    assert loaded.licence == "Apache-2.0"
    fetch_model(KEY, accept_licence=True)
    assert len(offered[0].asked) == 1, "the second time it is at hand"
    assert verify_model(KEY).published


def test_what_is_at_hand_is_given_from_a_folder_that_cannot_be_written(offered, checkpoint, monkeypatch):
    def read_only(_entry):
        raise InputError("Files cannot be written to the folder: read-only file system")

    path = import_model(KEY, checkpoint)
    monkeypatch.setattr(fetching, "locked", read_only)
    assert fetch_model(KEY, accept_licence=True) == path, "it was taken over by hand, and is the published file"
    assert not offered[0].asked


def test_without_a_published_checksum_the_first_file_s_own_is_kept(offered, checkpoint, monkeypatch):
    monkeypatch.setitem(ENTRIES, KEY, replace(entry_of(KEY), urls=(offered[0].url,), checksum="", size=0))
    path = fetch_model(KEY, accept_licence=True)
    pinned = record_of(KEY)
    path.write_bytes(b"changed on the disk")
    assert fetch_model(KEY, accept_licence=True).read_bytes() == checkpoint.read_bytes()
    path.write_bytes(b"changed on the disk")
    offered[0].content = b"changed at its authors'"
    with pytest.raises(InputError, match="is damaged or not the expected file"):
        fetch_model(KEY, accept_licence=True)
    assert record_of(KEY) == pinned


def test_without_the_licence_nothing_is_asked_of_any_server(offered, folder):
    with pytest.raises(InputError, match=r"licence of its weights was not accepted: Apache-2\.0"):
        fetch_model(KEY, accept_licence=False)
    assert not offered[0].asked
    assert not folder.exists()


def test_offline_the_way_by_hand_is_told(offered, folder, monkeypatch, nobody):
    monkeypatch.setitem(ENTRIES, KEY, replace(ENTRIES[KEY], urls=(nobody, nobody)))
    with pytest.raises(InputError) as error:
        fetch_model(KEY, accept_licence=True)
    text = str(error.value)
    assert "there is no connection to 127.0.0.1" in text
    assert "By hand: get mobile_sam.pt" in text
    assert "pqcomq models import mobile-sam mobile_sam.pt" in text
    assert left(folder) == []


def test_where_there_is_no_room_no_way_by_hand_is_told(offered, folder, checkpoint, monkeypatch):
    usage = fetching.shutil.disk_usage(checkpoint.parent)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _folder: usage._replace(free=10**6))
    with pytest.raises(InputError, match=r"no room for mobile_sam\.pt: .* and 1 MB are free\.$"):
        fetch_model(KEY, accept_licence=True)
    assert left(folder) == []


def test_a_mirror_that_sends_something_else_gives_way(offered):
    offered[0].content = b"<html><body>too many requests</body></html>"
    assert fetch_model(KEY, accept_licence=True).is_file()
    assert offered[1].asked


def test_a_stalled_download_goes_on_at_the_next_place(offered, checkpoint):
    offered[0].stall = 2.0
    assert fetch_model(KEY, accept_licence=True).read_bytes() == checkpoint.read_bytes()
    assert offered[1].asked[0].startswith("bytes=") if offered[1].asked else len(offered[0].asked) > 1


def test_two_processes_do_not_fetch_the_same_file(offered, folder):
    folder.mkdir()
    program = (
        "import sys\nfrom filelock import FileLock\n"
        f"lock = FileLock({str(folder / '.mobile-sam.lock')!r})\nlock.acquire()\nprint('held', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(InputError, match="is being fetched or taken over by another process"):
            fetch_model(KEY, accept_licence=True)
        other.communicate(b"\n")
    assert fetch_model(KEY, accept_licence=True).is_file()


def test_a_checkpoint_of_one_s_own_is_taken_over_and_known_as_such(folder, checkpoint):
    path = import_model(KEY, checkpoint)
    assert path.read_bytes() == checkpoint.read_bytes()
    assert not verify_model(KEY).published
    assert "not known" in load_model(KEY).licence
    with pytest.raises(InputError, match="at hand already"):
        import_model(KEY, checkpoint)


def test_the_published_file_that_is_taken_over_has_its_licence(offered, checkpoint):
    assert load_model(KEY, checkpoint).licence == "Apache-2.0"
    import_model(KEY, checkpoint)
    assert verify_model(KEY).published
    assert load_model(KEY).licence == record_of(KEY).licence == "Apache-2.0"


def test_what_is_not_the_model_is_not_taken_over(folder, tmp_path):
    page = tmp_path / "mobile_sam.pt"
    page.write_bytes(b"<html>Sign in</html>")
    with pytest.raises(InputError, match="is a web page"):
        import_model(KEY, page)
    torch.save({"a": torch.ones(1)}, page)
    with pytest.raises(InputError, match="is not a MobileSAM checkpoint"):
        import_model(KEY, page)
    assert left(folder) == []


def test_the_published_file_of_a_model_that_is_built_alike_is_told(folder, tmp_path, monkeypatch):
    path = tmp_path / "downloaded.pth"
    path.write_bytes(b"what MedSAM's authors gave out")
    md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    entry = replace(entry_of("medsam"), size=path.stat().st_size, checksum=f"md5:{md5}")
    monkeypatch.setitem(ENTRIES, "medsam", entry)
    told = "is the published checkpoint of MedSAM ViT-B, not of SAM ViT-B; choose model medsam"
    for act in (load_model, import_model):
        with pytest.raises(InputError, match=told):
            act("sam-vit-b", path)
    with pytest.raises(InputError, match="is a text file"):
        load_model("medsam", path)


def test_where_the_disk_is_full_the_converted_file_is_not_left_in_part(folder, tmp_path, monkeypatch, checkpoint):
    from safetensors import SafetensorError

    def full(*_given, **_named):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    save_file(torch.load(checkpoint, weights_only=True), tmp_path / "mobile.safetensors")
    monkeypatch.setattr("pqcomq.models.checkpoint.save_file", full)
    with pytest.raises(InputError, match=r"could not be written: no space left on device .*mobile-sam\.safetensors"):
        import_model(KEY, tmp_path / "mobile.safetensors")
    assert left(folder) == []


def test_what_a_killed_process_left_of_a_record_is_taken_away(offered, folder):
    left_over = folder / f".pqcomq-{32 * '0'}"
    for _killed in ("before the record is there", "when all is there"):
        (left_over / "tree").mkdir(parents=True)
        (left_over / "lock").touch()
        (left_over / "tree" / "mobile-sam.json").write_text("{}")
        fetch_model("mobile-sam", accept_licence=True)
        assert not left_over.exists()


def test_a_file_that_changed_since_it_came_is_neither_verified_nor_loaded(folder, checkpoint):
    path = import_model(KEY, checkpoint)
    state = torch.load(path, weights_only=True)
    state["mask_decoder.iou_token.weight"].add_(1)
    torch.save(state, path)
    for act in (verify_model, load_model):
        with pytest.raises(InputError, match="is not what it was when it came"):
            act(KEY)


def test_a_record_that_leads_elsewhere_is_not_believed(folder, checkpoint):
    import_model(KEY, checkpoint)
    record = folder / "mobile-sam.json"
    content = json.loads(record.read_text())
    for changed in ({"file": "../checkpoint.pth"}, {"file": "gone.pt"}, {"sha256": None, "file": 3}):
        record.write_text(json.dumps(content | changed))
        assert record_of(KEY) is None
    record.write_text("{")
    assert record_of(KEY) is None


def test_removing_takes_weights_record_and_parts(folder, checkpoint):
    path = import_model(KEY, checkpoint)
    (folder / "mobile_sam.pt.part").write_bytes(b"part")
    assert forget(KEY) == [path, folder / "mobile_sam.pt.part"]
    assert left(folder) == []
    with pytest.raises(InputError, match="there is nothing of it"):
        forget(KEY)
    with pytest.raises(InputError, match="name its checkpoint file"):
        load_model(KEY)


def test_what_comes_with_a_package_is_neither_fetched_nor_removed(folder):
    assert verify_model("lite-medsam").published
    for act in (lambda key: fetch_model(key, accept_licence=True), forget):
        with pytest.raises(InputError, match="comes with the package"):
            act("lite-medsam")
    with pytest.raises(InputError, match="is no model of the catalogue; choose one of lite-medsam, medsam"):
        fetch_model("sam3", accept_licence=True)


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch, checkpoint):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(InputError, match="cannot be"):
        import_model(KEY, checkpoint)


def test_without_room_nothing_is_taken_over(folder, checkpoint, monkeypatch):
    usage = fetching.shutil.disk_usage(checkpoint.parent)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _folder: usage._replace(free=10))
    with pytest.raises(InputError, match=r"There is no room for mobile_sam\.pt"):
        import_model(KEY, checkpoint)
    assert left(folder) == []


def test_the_folder_is_the_user_s_cache_unless_one_is_named(monkeypatch):
    monkeypatch.delenv("PQCOMQ_MODELS")
    assert "napari-pqcomq" in str(model_store.models_folder())
    monkeypatch.setenv("PQCOMQ_MODELS", "~/weights")
    assert model_store.models_folder() == Path.home() / "weights"
