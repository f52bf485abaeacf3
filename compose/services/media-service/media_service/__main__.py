"""`python -m media_service`: start the supervisor; exit 0 after SIGTERM/SIGINT, 2 on a bad environment variable."""

import os
import sys

from media_service.config import Config, ConfigError
from media_service.log import setup_logging
from media_service.supervisor import run


def main() -> int:
    """Return the process exit code."""
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        print(f"media-service: {error}", file=sys.stderr)
        return 2
    setup_logging(config.log_level)
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
