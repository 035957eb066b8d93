"""Parts of :mod:`geng_export.data.describe`: trend and season by least squares, events in what is left."""
