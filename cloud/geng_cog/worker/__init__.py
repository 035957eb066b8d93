"""The worker: answers what gateways ask, over a broker or HTTP.

``desk`` turns questions into replies and knows no network; ``service`` carries them over MQTT,
``http`` over HTTP.
"""
