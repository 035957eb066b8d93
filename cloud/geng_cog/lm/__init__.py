"""The embedded language model: its words, its file, its training."""
