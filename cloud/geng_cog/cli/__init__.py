"""The command line of the cloud: one file for each command."""
