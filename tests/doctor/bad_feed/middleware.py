import time


class SlowMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        time.sleep(0.001)
        return self.get_response(request)


class CountingMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from tests.doctor.bad_feed.models import Member

        request.members = Member.objects.filter(id=None).count() + Member.objects.filter(id=1).count()
        return self.get_response(request)
