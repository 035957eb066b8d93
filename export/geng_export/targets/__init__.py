"""Formats that a trained model is written to."""
