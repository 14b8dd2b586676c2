"""The JSON Schema of plans, for editors: what keys there are, and what they can have.

It says less than the reader: what has to fit together is not in it. So whatever the reader takes is
valid by it, with one exception: `${env.NAME}` where a number is needed.
"""

from __future__ import annotations

from typing import Any

from reports.nightly.plan import LoadStep, NightlyPlan, TuneStep

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def plan_schema() -> dict[str, Any]:
    """The schema as JSON values."""
    schema = NightlyPlan.model_json_schema(by_alias=True, mode="validation")
    for model in (schema, *schema["$defs"].values()):
        for key in model.get("properties", {}).values():
            # Pydantic's titles repeat the keys.
            key.pop("title", None)
            if "$ref" in key:
                # What it refers to has the defaults, and calls them as files do.
                key.pop("default", None)
    for step in (LoadStep, TuneStep):
        # The reader names steps that have no name.
        schema["$defs"][step.__name__]["required"].remove("name")
    return {"$schema": DIALECT, **schema, "title": "Plan of reports nightly"}
