"""One CDK app that deploys `lambda_app`; it sees the contract and the topology, and never Django."""
