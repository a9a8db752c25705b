"""What is wrong with a Django project on Lambda: facts about it → rules, each an item of the advice → findings.

Its own app: with "serverless_django.doctor" in INSTALLED_APPS any project has `manage doctor`.
"""
