"""The command line: one module a command, the parser and exit codes in main."""
