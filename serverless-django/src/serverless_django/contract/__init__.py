"""What the deploy and the running code agree on.

`cdk/` imports it at synth and `lambda_app/` at run time, so it is the standard library only.
"""
