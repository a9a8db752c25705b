"""The whole system on a laptop: the deployed handlers and the deployed template, without Docker or an AWS account."""
