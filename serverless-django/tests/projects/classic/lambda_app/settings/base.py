from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = ["serverless_django", *INSTALLED_APPS]
SERVERLESS = {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}
