"""What a person changes of the own profile: name, picture, language, appearance (ACC-9 to ACC-20, ACC-42, ACC-45, ACC-57)."""

import hashlib
import io
import warnings

from django.conf import settings
from django.db import transaction
from PIL import Image, ImageOps

from relais.records.access.models import Avatar
from relais.records.errors import Invalid
from relais.records.people.models import Theme, User
from relais.records.saving import find, save

NAME_LENGTH_MAX = 60
AVATAR_OCTETS_MAX = 5 * 2**20
AVATAR_PIXELS = 256  # each side, as kept
PICTURE_PIXELS_MAX = 40_000_000
FORMATS = ("PNG", "JPEG")


def change_own_name(user: User, first_name: str, last_name: str) -> None:
    """`Invalid` for a blank one or more than sixty characters."""
    names = {"first_name": first_name.strip(), "last_name": last_name.strip()}
    reasons = {field: ("must not be blank",) for field, name in names.items() if not name}
    reasons |= {
        field: (f"takes at most {NAME_LENGTH_MAX} characters",)
        for field, name in names.items()
        if len(name) > NAME_LENGTH_MAX
    }
    if reasons:
        raise Invalid(reasons)
    _change(user, **names)


def set_avatar(user: User, octets: bytes) -> None:
    """A square cut from the middle of the picture, made anew: nothing else that was in the file is kept. `Invalid` for what
    is neither a PNG nor a JPEG by its content, is too large, or damaged."""
    if len(octets) > AVATAR_OCTETS_MAX:
        raise Invalid.of("picture", "is larger than 5 MB")
    image = _made_anew(octets)
    with transaction.atomic():
        Avatar.objects.update_or_create(user=user, defaults={"image": image})
        _change(user, avatar=hashlib.sha256(image).hexdigest()[:16])


@transaction.atomic
def remove_avatar(user: User) -> None:
    Avatar.objects.filter(pk=user.pk).delete()
    _change(user, avatar="")


def choose_language(user: User, language: str) -> None:
    if language not in dict(settings.LANGUAGES):
        raise Invalid.of("language", "is not offered")
    _change(user, language=language)


def choose_theme(user: User, theme: str) -> None:
    if theme not in Theme.values:
        raise Invalid.of("theme", "is not offered")
    _change(user, theme=theme)


@transaction.atomic
def _change(user: User, **columns: str) -> None:
    """Of the record as it is stored now: what others have changed meanwhile stays."""
    record = find(User, user.pk)
    for column, value in columns.items():
        setattr(record, column, value)
    save(record)


def _made_anew(octets: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(octets), formats=FORMATS)
            if picture.width * picture.height > PICTURE_PIXELS_MAX:
                raise Invalid.of("picture", "has more than 40 million pixels")
            upright = ImageOps.exif_transpose(picture)
            square = ImageOps.fit(upright.convert("RGBA"), (AVATAR_PIXELS, AVATAR_PIXELS))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid.of("picture", "is not a PNG or JPEG picture that can be read") from error
    made = io.BytesIO()
    square.save(made, "PNG", optimize=True)
    return made.getvalue()
