"""The networks of geng-edge: text expert f, number reader, bridge, and the series autoencoder g."""
