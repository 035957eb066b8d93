"""The grammar: what a model may write, character by character, so that every answer parses."""
