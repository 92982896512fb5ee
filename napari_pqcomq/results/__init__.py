"""What reads a finished comparison: tables, plots, the gate, exports, the reader study."""
