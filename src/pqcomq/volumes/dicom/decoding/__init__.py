"""Compressed frames decoded in processes of their own, so that a fault in a decoder ends none but them.

``decode`` is what others call; ``decoders`` keeps the processes, ``decoder_process`` is one of them as its parent sees
it, ``shared_bytes`` the memory that both see. ``worker`` runs in the process, and ``codecs`` knows the libraries; these
two import next to nothing, since every start pays for it.
"""
