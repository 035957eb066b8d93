"""The wire: what edge, cloud and users of a gateway say to one another, and in which form.

``rules.md`` beside this file numbers the rules. Needs numpy and the standard library only, and connects
to nothing: :mod:`geng_edge.mqtt` carries what is built here.
"""
