"""Settings whose packed weights differ in kind: widths, groups, permutations, zero-points, entropy coding."""

from __future__ import annotations

from pqcomq.quantization.planning.presets import default_config

PACKED_CONFIGS = [
    default_config(None, 8),
    default_config(None, 4),
    default_config(None, 2).altered(["group_size=16"]),
    default_config(None, 4).altered(["granularity=channel", "permutation=none", "zero_point=symmetric"]),
    default_config(None, 8, "rtn").altered(["granularity=layer"]),
    default_config(None, 2).altered(["scales=coarse"]),
    default_config(None, 4).altered(["scales=coarse", "bits=3", "group_size=16"]),
    default_config(None, 2).altered(["scales=coarse", "bits=1", "permutation=none"]),
    default_config(None, 4).altered(["scales=coarse", "bits=5"]),
    default_config(None, 8).altered(["scales=coarse", "zero_point=real", "granularity=channel"]),
    default_config(None, 8, "ecq", stored_bits=3.0),
    default_config(None, 8, "ecq", stored_bits=5.5),
]
