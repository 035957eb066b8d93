"""Backends: who writes the statement. One protocol, one file for each."""
