"""What a device can do, measured: the command `geng-edge bench` and its parts."""
