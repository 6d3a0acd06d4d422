"""Pictures in, paintings or names out: ``/v1/stylize``, ``/v1/classify`` and what they offer."""
