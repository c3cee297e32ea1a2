"""Two names that ``logging.config`` asks for when it is imported: in a browser nobody listens."""


class ThreadingTCPServer:
    """Never started."""


class StreamRequestHandler:
    """Never asked."""
