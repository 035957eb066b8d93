"""Self-training (section III-A of the paper): stages that talk through JSONL files."""
