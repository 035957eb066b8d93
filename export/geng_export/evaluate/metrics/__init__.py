"""Measures of fidelity: how far a set of generated windows lies from a set of reference windows."""
