"""Training: recipes in YAML, resumable from a checkpoint folder."""
