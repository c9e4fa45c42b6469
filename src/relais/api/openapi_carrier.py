"""`/api` in the OpenAPI document: one address for submitting and asking, whose key stands among its parameters."""

from typing import Any

_EXAMPLE_ID = "0195f0d2-7a44-7c31-9a5e-3f6f0a2b9c10"
_MODES = ["split", "cut", "payload", "split_sar", "single_id_split", "split_or_payload"]
# name → what it is, an example, whether it is needed, and the rest of its schema
_PARAMETERS: dict[str, tuple[str, str, bool, dict[str, Any]]] = {
    "username": ("The name of the API key, or that of its company; small or capital letters.", "shop", True, {}),
    "password": ("An API key.", "rk_…", True, {}),
    "command": ("What to do; `submit` when it is absent.", "submit", False, {"enum": ["submit", "query"]}),
    "ani": ("Of `submit`: the sender ID.", "Monsters", False, {}),
    "dnis": ("Of `submit`: the recipient in international form; up to 100, separated by commas.", "34600123456", False, {}),
    "message": ("Of `submit`: the text.", "Your parcel arrives today.", False, {}),
    "longMessageMode": ("Of `submit`: `cut` sends as much as one SMS holds; `split` when absent.", "split", False,
                        {"enum": _MODES}),
    "messageId": ("Of `query`: the `message_id` of an answer.", _EXAMPLE_ID, False, {}),
}  # fmt: skip
_ID = {"type": "string", "format": "uuid"}
_DESCRIPTION = (
    "What systems of the trade send each other: a query, a form or a JSON object. The same keys, rights, prices and limits hold "
    "as everywhere, but the key stands in `password`, and `username` must be its name or that of its company. A refusal is a "
    "line of text. Statuses are ACCEPTD, ENROUTE, DELIVRD, UNDELIV, EXPIRED, REJECTD, DELETED, and UNKNOWN for what is not yours."
)


def operations() -> dict[str, Any]:
    """The path item."""
    described = {
        "description": _DESCRIPTION,
        "tags": ["Messages"],
        "security": [],
        "responses": _responses(),
    }
    query = {
        "operationId": "carrier_get",
        "summary": "Submit or query as carriers do, by a query",
        "parameters": [
            {"name": name, "in": "query", "required": needed, "description": told, "example": example,
             "schema": {"type": "string"} | schema}
            for name, (told, example, needed, schema) in _PARAMETERS.items()
        ],
    }  # fmt: skip
    properties = {
        name: {"type": "string", "description": told} | schema for name, (told, _, _, schema) in _PARAMETERS.items()
    }
    body = {"type": "object", "properties": properties, "required": ["username", "password"]}
    example = {name: example for name, (_, example, _, _) in _PARAMETERS.items() if name != "messageId"}
    content = {"schema": body, "example": example}
    post = {
        "operationId": "carrier_post",
        "summary": "Submit or query as carriers do, by a body",
        "requestBody": {
            "required": True,
            "content": {"application/json": content, "application/x-www-form-urlencoded": content},
        },
    }
    return {"get": query | described, "post": post | described}


def _responses() -> dict[str, Any]:
    one = {"type": "object", "properties": {"message_id": _ID}, "required": ["message_id"]}
    several = {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "dnis": {"type": "string"},
                "message_id": {"anyOf": [_ID, {"type": "null"}]},
                "error": {"type": "string", "description": "Why it was refused."},
            },
            "required": ["dnis", "message_id"],
        },
    }
    status = {
        "type": "object",
        "properties": {
            name: {"type": "string"}
            for name in ("status", "mccmnc", "error_code", "delivery_time", "system_delivery_time")
        },
        "required": ["status"],
    }
    taken = {"schema": {"anyOf": [one, several, status]}, "example": {"message_id": _EXAMPLE_ID}}
    refused = {"content": {"text/plain": {"schema": {"type": "string"}, "example": "'text' is empty."}}}
    return {
        "200": {
            "description": "Of one number its id, of several a list, of `query` the status.",
            "content": {"application/json": taken},
        },
        "400": {"description": "What of the request cannot be: number, text, parameter."} | refused,
        "401": {"description": "The key is not in force, or `username` does not belong to it."} | refused,
        "420": {"description": "Why else it is refused: sender ID, price, balance, stop list, too fast."} | refused,
    }
