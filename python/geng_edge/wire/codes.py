"""Why a message is refused or a request rejected: the stable codes, and what each means."""

from __future__ import annotations

TOO_LARGE = "too_large"
NOT_JSON = "not_json"
SCHEMA = "schema"
LATENT = "latent"
DIGEST = "digest"
FOREIGN_MODEL = "foreign_model"
RESPONSE_TOPIC = "response_topic"
EXPIRED = "expired"
BUSY = "busy"
UNANSWERABLE = "unanswerable"
INTERNAL = "internal"
TAKEN = "taken"
GONE = "gone"
UNKNOWN = "unknown"

#: Each with its meaning. A code is never renamed or used for something else within v1.
MEANINGS = {
    TOO_LARGE: "the payload is longer than its topic allows; it was not read",
    NOT_JSON: "the payload is no JSON text of one object, with each key once and finite numbers",
    SCHEMA: "the object is not of the schema that its topic carries",
    LATENT: "a condition is no .npy of finite float32 (tokens, width)",
    DIGEST: "a condition's SHA-256 is not the one stated beside it",
    FOREIGN_MODEL: "the condition is of another text expert than the model at hand",
    RESPONSE_TOPIC: "the response topic is not the asker's own",
    EXPIRED: "the request was older than its lifetime when its turn came",
    BUSY: "more requests wait than may; try again later",
    UNANSWERABLE: "the task cannot be answered; the sentence says why",
    INTERNAL: "a fault of the answering side",
    TAKEN: "the transaction belongs to another request",
    GONE: "the request was answered, and the answer is no longer kept",
    UNKNOWN: "there is no such transaction, sensor or page",
}
