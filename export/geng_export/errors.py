"""Errors of the export side, under the device package's tree."""

from geng_edge.errors import GengError


class ExportError(GengError):
    """Training, evaluation or export cannot go on; nothing was written."""

    code = "export"
