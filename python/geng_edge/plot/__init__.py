"""Pictures of series: in a terminal, and as PNG."""
