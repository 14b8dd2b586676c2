"""botocore's service models, which the APIs of the sandbox follow."""

from __future__ import annotations

from botocore.loaders import Loader
from botocore.model import ServiceModel

# One for all: each new one lists all services again, which takes longer than reading a model.
_LOADER = Loader()


def service_model(service: str) -> ServiceModel:
    """The model of a service, by its name in botocore."""
    return ServiceModel(_LOADER.load_service_model(service, "service-2"), service)
