"""Additional information for a claim (275): view, builder, reader."""

from x12.views.attachment.build import build_275
from x12.views.attachment.model import Attachment, Document
from x12.views.attachment.read import read_275

__all__ = ["Attachment", "Document", "build_275", "read_275"]
