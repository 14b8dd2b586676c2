"""The JSON Schema of profiles, for editors: what keys there are, and what they can have.

It says less than the reader: what has to fit together is not in it. So whatever the reader takes is
valid by it, with one exception: `${env.NAME}` where a number is needed.
"""

from __future__ import annotations

from typing import Any

from loadgen.profile.model import Profile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def profile_schema() -> dict[str, Any]:
    """The schema as JSON values."""
    schema = Profile.model_json_schema(by_alias=True, mode="validation")
    for model in (schema, *schema["$defs"].values()):
        for key in model.get("properties", {}).values():
            # Pydantic's titles repeat the keys.
            key.pop("title", None)
    return {"$schema": DIALECT, **schema, "title": "Profile of loadgen"}
