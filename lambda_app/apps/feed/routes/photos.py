from ninja import Router

from lambda_app.apps.feed import queries
from lambda_app.apps.feed.authentication import MemberRequest
from lambda_app.apps.feed.schemas import Id, NewPhoto, PhotoOut, UploadOut, photo_out
from lambda_app.apps.feed.services import photos
from serverless_django.budgets import budget

router = Router(tags=["photos"])


@router.post("/photos", response={201: UploadOut}, summary="Ask to upload a photo")
@budget(queries=5)
def open_upload(request: MemberRequest, body: NewPhoto) -> UploadOut:
    """Answers a presigned PUT of exactly `size` bytes, good for 5 minutes and for one file; the upload sets off the
    rendering, of two photos of a member at once.

    429 with Retry-After from the 121st within an hour on.
    """
    photo, put = photos.open_upload(owner=request.auth, content_type=body.content_type, size=body.size)
    return UploadOut(photo=photo_out(photo), url=put["url"], headers=put["headers"])


@router.get("/photos/{photo_id}", response=PhotoOut, summary="A photo of yours, or one that a post shows")
@budget(queries=3)
def read_photo(request: MemberRequest, photo_id: Id) -> PhotoOut:
    return queries.read_photo(photo_id=photo_id, viewer=request.auth)
