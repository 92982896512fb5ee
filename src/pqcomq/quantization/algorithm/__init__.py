"""Post-training weight quantization by dot products and rounding: RTN, COMQ and Permutation-COMQ in Gram form.

This package knows torch alone: no model, no volume, no file. A weight matrix and the Gram matrix of its layer's inputs
go in; packed codes with scales, zero-points and a permutation come out.
"""
