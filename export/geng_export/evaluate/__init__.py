"""Hold generated series against what was asked, and the analyser against known truth."""
