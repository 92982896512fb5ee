"""How far the models agree: in a table, in plots, slice by slice."""
