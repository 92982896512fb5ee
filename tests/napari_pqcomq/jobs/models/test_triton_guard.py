from __future__ import annotations

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out


def maps(tmp_path, text):
    path = tmp_path / "maps"
    path.write_text(text)
    return path


def test_triton_is_kept_out_where_mesas_llvm_is_loaded(tmp_path):
    modules = {}
    assert keep_triton_out(modules, maps(tmp_path, "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libLLVM.so.15\n"))
    assert modules == {"triton": None}


def test_triton_is_left_alone_where_nothing_clashes(tmp_path):
    modules = {}
    assert not keep_triton_out(modules, maps(tmp_path, "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libc.so.6\n"))
    assert not keep_triton_out(modules, tmp_path / "no such file")
    assert modules == {}


def test_triton_that_is_loaded_already_stays(tmp_path):
    loaded = {"triton": keep_triton_out}
    assert not keep_triton_out(loaded, maps(tmp_path, "/usr/lib/libLLVM.so.15"))
    assert loaded == {"triton": keep_triton_out}
