"""The gateway service: a model kept warm, asked by MQTT and by HTTP.

The way of a request::

    MQTT message / HTTP body     bytes -> Ask                refused here, with a code
      v
    outbox.py, room.py           the ledger, on disk         only then the broker is told that it may forget
      v
    worker.py                    the one thread that samples
      v
    outbox.py                    the answer, on disk
      v
    bus.py / http.py             published, or written to the waiting caller; the ledger notes that too
"""
