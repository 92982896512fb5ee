"""Runtimes: what computes the networks' products. The reference is torch, the fast one for CPUs OpenVINO.

A runtime takes a model and returns one with the same methods (``embed``, ``logits``) whose networks were replaced. The
weights are the same, bit for bit: codes go into OpenVINO's graphs as constants, see :mod:`.packed_constants`. Graphs
are built node by node from the layers, which takes a twentieth of a second, and compiled in under half a second for
LiteMedSAM: there is no conversion, and nothing is cached on disk that could be stale or damaged.

Why OpenVINO: LiteMedSAM's encoder in float32 on 2 cores of an AMD EPYC (AVX-512 VNNI and BF16), medians of one run in
turns: torch as this package sets it up 623 ms, channels last 495 ms, ONNX Runtime 1.32 369 ms, OpenVINO 2026.4 276 ms
and in bfloat16 146 ms; built here instead of traced from torch 261 and 138 ms. Of torch's own low-bit products (4096
tokens, 768 → 3072, two busy threads) those with 8-bit weights and dynamic 8-bit inputs took 32 ms, bfloat16 48 ms,
packed 4 bits 124 ms, float32 208 ms; the whole encoder with the first ran 1.2 times as fast as without.

How a product with weights of 4 bits can be computed, and what it takes (ms; 4096 tokens, same machine):

=================================================  ==========  ===========
weights, activations                               320 → 1280  768 → 3072
=================================================  ==========  ===========
float32                                                   7.4         44.6
4 bits packed, groups of 64, float32                      8.3         42.5
bfloat16                                                  4.5         21.4
4 bits packed, groups of 64, bfloat16                     5.6         28.8
4 bits packed, groups of 64, 8 bits dynamic               4.4         19.9
signed bytes, one scale a channel, 8 bits static          2.3         11.5
=================================================  ==========  ===========

Real-valued zero-points cost no more than whole ones in the packed kernel; the dynamic one ignores them and falls back
to float32. With zero-points in quarters of a code it can be reached all the same: the codes times four, in bytes, less
whole zero-points. LiteMedSAM's default 4 bits so run keep their embedding (error 7e-4, as small as bfloat16's 1e-3),
and gain too little for a runtime of its own: 382 ms to float32's 417 on two cores of an Intel Xeon, with AVX-512
VNNI's instructions alone 406 to 449, with AVX2's and VNNI 536 to 574. So packed weights run with floating-point
activations, and 8-bit activations are static: their ranges come from the calibration pass, and they need weights that
are signed bytes times one scale a channel, which the kernels multiply as they are: codes whose groups have whole
multiples of one scale (``integers`` of ``presets.default_config``). In memory those take a byte each, whatever their
codes' width.

What packed weights cost beside float ones is mostly the order of their columns. LiteMedSAM's encoder in bfloat16 on one
thread, sums of one profile in ms: products 310 against 278, gathers of channels 40 against 2.

A permutation of inputs is folded into the order of the outputs before it where only channel-wise operations lie
between, undone where a row is a single unit, and else one gather of channels (0.7 ms beside the product's 5.7 for
320 → 1280).
"""
