"""The OpenAPI document, ``/openapi.json``: every page in a form that programs read."""
