"""From a Lambda event to Django and back."""
