SECRET_KEY = "of a laptop"
ROOT_URLCONF = "lambda_app.urls"
INSTALLED_APPS = ["serverless_django", "lambda_app"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
SERVERLESS = {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}
