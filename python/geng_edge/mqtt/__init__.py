"""MQTT: a connection that comes back by itself. Needs the extra ``mqtt`` when a link is opened."""
