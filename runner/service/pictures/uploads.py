"""The file of an upload: the body itself, or the one part of a form (RFC 7578)."""

from email.message import Message

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from runner.service.errors import BadRequest

MULTIPART = "multipart/form-data"
LONGEST_BOUNDARY = 70  # RFC 2046, section 5.1.1


def extract_file(body: bytes | bytearray, content_type: str | None) -> bytes:
    """Return the bytes of the uploaded file.

    Args:
        body: of the request.
        content_type: the header; anything but a form means that the body is the file.

    Raises:
        BadRequest: there is no file, the form is damaged, or it has more than one part.
    """
    header = Message()
    header["content-type"] = (content_type or "").encode("ascii", "replace").decode()
    data = bytes(body)
    if header.get_content_type() == MULTIPART:
        data = read_form(data, str(header.get_param("boundary", "")))
    if not data:
        message = "body: empty; send the bytes of a picture file, or a form with one file"
        raise BadRequest(message)
    return data


def read_form(body: bytes, boundary: str) -> bytes:
    """Return the one part of a form.

    Raises:
        BadRequest: the form is damaged, or has another number of parts.
    """
    if not 1 <= len(boundary) <= LONGEST_BOUNDARY:
        message = (
            f"Content-Type: a boundary of {len(boundary)} characters; a form names one of 1 to "
            f"{LONGEST_BOUNDARY}"
        )
        raise BadRequest(message)
    form = Form(boundary)
    form.read(body)
    return form.part


class Form:
    """Reads one form.

    Args:
        boundary: between its parts.

    Attributes:
        part: the bytes of its only part.
    """

    def __init__(self, boundary: str) -> None:
        self.part = b""
        self._pieces: list[bytes] = []
        self._count = 0
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin,
                "on_part_data": self.take,
                "on_end": self.end,
            },
        )

    def begin(self) -> None:
        """Count a part.

        Raises:
            BadRequest: it is the second one.
        """
        self._count += 1
        if self._count > 1:
            message = "form: more than one part; send one file, and the options in the query"
            raise BadRequest(message)

    def take(self, data: bytes, start: int, end: int) -> None:
        """Keep bytes of the part."""
        self._pieces.append(data[start:end])

    def end(self) -> None:
        """See the end of the form."""
        self._ended = True

    def read(self, body: bytes) -> None:
        """Read the whole form.

        Raises:
            BadRequest: it is damaged, ends too early, or has no part or too many.
        """
        try:
            self._parser.write(body)
            self._parser.finalize()
        except FormParserError as error:
            message = f"form: damaged ({error}); send it as multipart/form-data says"
            raise BadRequest(message) from None
        if not self._ended or not self._count:
            what = "its end is missing" if self._count else "it has no part"
            message = f"form: {len(body)} bytes, but {what}; send one file in one part"
            raise BadRequest(message)
        self.part = b"".join(self._pieces)
