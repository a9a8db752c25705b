"""Files that a phone might upload: made here, so that none has to be kept or downloaded."""

from io import BytesIO

from PIL import Image, ImageDraw


def photograph(format_: str, *, width: int, height: int, seed: int) -> bytes:
    """Return a file of this size with a gradient and shapes that differ by `seed`."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for index in range(24):
        x, y = (index * 97 + seed * 31) % width, (index * 61 + seed * 53) % height
        colour = (index * 10 % 256, seed * 40 % 256, 255 - index * 10 % 256)
        draw.ellipse([x, y, x + width // 6, y + height // 6], fill=colour)
    output = BytesIO()
    image.save(output, format_)
    return output.getvalue()


def text_in_disguise() -> bytes:
    """Return what is no image, whatever its name says."""
    return b"I am a text, not a photo.\n" * 40


def image_size(file: bytes) -> tuple[int, int]:
    """Decode `file` whole and return its width and height.  Raise OSError if it is not an image."""
    with Image.open(BytesIO(file)) as image:
        image.load()
        return image.size
