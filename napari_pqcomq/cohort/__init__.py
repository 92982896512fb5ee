"""The dock *Cohort*: full precision and quantized weights on the labelled cases of many patients."""
