"""Other ways from a caption to a series, rebuilt from their papers and trained here on the same pairs.

Each module has ``train(pairs, budget)``, which gives a sampler: sentence embeddings and a seed in,
standardised windows out. They see the same windows, captions and sentence embeddings, for the same time.
"""
