"""Other runtimes running our bridge: one file each, registered as entry points `geng_edge.peers`."""
