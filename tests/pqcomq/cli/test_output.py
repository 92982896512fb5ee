"""What the commands print comes out as it is."""

from __future__ import annotations

from pqcomq.cli.terminal.output import print_lines, print_note, print_table


def test_square_brackets_stay_in_tables(capsys):
    print_table("scan [red]", ["[b]", "value"], [["a[1]", "2"]], 'pip install "napari-pqcomq[openvino]"')
    told = capsys.readouterr().out.replace("\n", "")  # a caption is wrapped to the table
    for text in ("scan [red]", "[b]", "a[1]", '"napari-pqcomq[openvino]"'):
        assert text in told


def test_names_of_files_steer_no_terminal(capsys):
    name = "a\x1b[2J\x07b\u202ec.dcm"
    print_note(f"1 file was left out: {name}.")
    print_lines([f"wrote {name}"])
    print_table(name, ("name", "size"), [(name, "3")])
    out, err = capsys.readouterr()
    assert "a?[2J?b?c.dcm" in err
    assert out.count("a?[2J?b?c.dcm") == 3
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)
