"""The cloud half of geng-edge. Empty so far.

The Cog-LLM will live here: it turns a task into descriptions of series, improves itself by
curation rounds, and answers devices over MQTT. Until then a description is written by hand
and given to ``geng-edge sample --text``.
"""

__version__ = "0.1.0"
