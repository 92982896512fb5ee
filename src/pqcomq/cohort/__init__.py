"""Full precision and its quantized copies on the labelled cases of many patients, with statistics over them."""
