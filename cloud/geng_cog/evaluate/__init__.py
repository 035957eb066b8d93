"""Evaluation: a rubric, a development set never trained on, Table I rebuilt."""
