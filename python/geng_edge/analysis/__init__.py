"""Parts of :mod:`geng_edge.analysis.analyser`: trend and season by least squares, events in what is left."""
