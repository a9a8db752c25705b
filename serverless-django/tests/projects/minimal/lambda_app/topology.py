from serverless_django.contract.resources import Queue, Topology

TOPOLOGY = Topology(queues=(Queue(name="default"),))
