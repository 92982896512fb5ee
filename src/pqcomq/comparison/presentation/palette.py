"""The colours of a comparison, the same on the canvas, in pictures and in plots.

Those of the models are from the palette of Okabe and Ito, which stay apart with any colour vision and on any grey. Red
and blue tell the models apart and nothing else; objects have colours of their own (:mod:`pqcomq.object_colours`).
"""

from __future__ import annotations

FULL_COLOUR = "#E8743B"
"""Full precision: its heading, and what it alone segmented. Vermilion, lightened for small type on black."""
QUANTIZED_COLOUR = "#56B4E9"
"""The quantized model: its heading, and what it alone segmented."""
BOTH_COLOUR = "#C8C8C8"
"""What both segmented."""
TRUTH_COLOUR = "#FAF05A"
INSIDE_COLOUR = "#00D492"
"""Of the + of a point inside the object. Green and pink of Okabe and Ito, lightened; + and − tell them apart, too."""
OUTSIDE_COLOUR = "#FF8FCF"
"""Of the − of a point outside."""
