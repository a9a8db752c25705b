"""An app that is linted because its migrations lie in the project, as those of django.contrib.auth do not."""
