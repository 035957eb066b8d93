"""The edge's side of the cloud: asking for conditions, and keeping what was answered."""
