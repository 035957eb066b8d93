"""Weights as int8: symmetric, one scale per output channel, values in [-127, 127]."""
