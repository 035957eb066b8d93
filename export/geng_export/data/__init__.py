"""Training data: real windows described by analysis, composed windows, and the texts of both."""
