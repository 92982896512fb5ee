from __future__ import annotations

import pytest

from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.planning.presets import default_config


def test_settings_are_altered_by_their_names_and_kept_otherwise():
    default = default_config("lite-medsam", 4)
    changed = default.altered(["group_size=32", "permutation = none", "budget=none", "damping=0.02", "decoder=no"])
    assert (changed.group_size, changed.permutation, changed.budget) == (32, "none", None)
    assert (changed.damping, changed.decoder, changed.bits) == (0.02, False, 4)
    assert default.altered([]) == default
    assert default.altered(["budget=4.8"]).budget == 4.8


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("group=32", "write NAME=VALUE with one of bits, method"),
        ("group_size", "write NAME=VALUE"),
        ("group_size=many", "group size 'many': asked for is a whole number"),
        ("decoder=perhaps", "decoder 'perhaps': asked for is yes or no"),
        ("order=random", r"order 'random': choose one of \('cyclic', 'greedy'\)"),
        ("budget=-1", "a budget is a positive number"),
        ("bits=7", "bit width 7"),
        ("group_size=0", "group size must be at least 1"),
        ("group_size=33", "group size 33: a budget chooses each layer's groups itself"),
        ("scales=multiples", "need zero point 'symmetric'"),
        ("granularity=layer", "coarse scales need zero point 'real' and units within"),
        ("zero_point=integer", "coarse scales need zero point 'real'"),
        ("method=rtn", "round to nearest takes no sweeps"),
        ("stored_bits=2.6", "stored bits belong to method 'ecq'"),
        ("method=ecq", "stored bits belong to method 'ecq', which needs them"),
    ],
)
def test_settings_that_cannot_be_are_named(change, problem):
    with pytest.raises(ValueError, match=problem):
        default_config("lite-medsam", 4).altered([change])


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("method", ["rtn", "comq", "pcomq", "ecq"])
def test_settings_survive_a_file(bits, method):
    default = default_config("lite-medsam", bits, method)
    assert QuantizationConfig.from_dict(default.to_dict()) == default


@pytest.mark.parametrize("method", ["rtn", "comq", "pcomq"])
def test_a_method_as_published_has_a_unit_a_channel_and_nothing_of_its_default(method):
    published, default = QuantizationConfig.published(4, method), default_config("lite-medsam", 4, method)
    assert published.title == f"{default.title} as published" and not default.is_published
    assert (published.granularity, published.zero_point, published.scales) == ("channel", "integer", "free")
    assert (published.feedback, published.inputs, published.budget, published.tones) == (False, "full", None, "own")
    assert published.decoder == default.decoder, "the same layers"
    assert (published.permutation, published.order) == {
        "rtn": ("none", "cyclic"), "comq": ("none", "greedy"), "pcomq": ("magnitude", "cyclic")
    }[method]  # fmt: skip
    assert QuantizationConfig.from_dict(published.to_dict()).title == published.title
    assert published.altered(["decoder=no"]).is_published
    assert published.altered(["granularity=group"]).title == default.title


def test_entropy_coding_is_published_nowhere():
    with pytest.raises(ValueError, match="no paper's"):
        QuantizationConfig.published(8, "ecq")
    assert not default_config("lite-medsam", 2, "ecq").is_published


def test_entropy_coded_settings_have_stored_bits_and_no_width():
    settings = default_config("lite-medsam", 2, "ecq", stored_bits=2.75)
    assert settings.title == "2.75 bits stored, entropy coded"
    assert (settings.stored_bits, settings.budget, settings.decoder) == (2.75, None, True)
    assert QuantizationConfig.from_dict(settings.to_dict()) == settings
    assert "stored_bits" not in default_config("lite-medsam", 4).to_dict()
    for wrong in ("stored_bits=0.9", "stored_bits=6.5", "stored_bits=nan"):
        with pytest.raises(ValueError, match="choose a number from 1 to 6"):
            settings.altered([wrong])
    for wrong in ("budget=2.6", "bits=4"):
        with pytest.raises(ValueError, match="no bit width and no budget"):
            settings.altered([wrong])
    with pytest.raises(ValueError, match="the others have a bit width"):
        default_config("lite-medsam", 4, stored_bits=2.6)
    with pytest.raises(ValueError, match="leave the stored bits out"):
        default_config("lite-medsam", 8, "ecq", integers=True, stored_bits=2.6)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_settings_for_integers_keep_the_budget_and_survive_a_file(bits):
    settings = default_config("lite-medsam", bits, integers=True)
    assert settings.zero_point == "symmetric"
    assert settings.budget == default_config("lite-medsam", bits).budget
    assert settings.scales == ("free" if bits == 8 else "multiples")
    assert QuantizationConfig.from_dict(settings.to_dict()) == settings
    own = default_config(None, bits, integers=True)
    assert (own.zero_point, own.scales, own.budget) == ("symmetric", settings.scales, None)


@pytest.mark.parametrize("corrected", [False, True])
def test_settings_of_files_from_before_biases_were_left_alone_are_read(corrected):
    default = default_config("lite-medsam", 4)
    assert QuantizationConfig.from_dict(default.to_dict() | {"correct_bias": corrected}) == default


def test_settings_of_files_from_before_a_budget_refused_a_group_size_are_read():
    default = default_config("lite-medsam", 4)
    assert QuantizationConfig.from_dict(default.to_dict() | {"group_size": 33, "input_damping": 1.0}) == default


def test_there_is_no_configuration_without_a_bit_width():
    with pytest.raises(TypeError, match="bits"):
        QuantizationConfig()


def test_settings_that_never_existed_are_refused():
    with pytest.raises(TypeError, match="colour"):
        QuantizationConfig.from_dict({"colour": "red"})
