"""Reference media-service: takes live streams from MediaMTX, has their speech dubbed by an STS, publishes the result."""
