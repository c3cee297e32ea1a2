"""The course Gated Memory: its exercises, its reference, its drawings. No other room knows its names."""
