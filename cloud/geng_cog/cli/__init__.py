"""The command line of geng-cog: one file per command."""
