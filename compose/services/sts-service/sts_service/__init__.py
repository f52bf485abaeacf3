"""Reference speech-to-speech translation service: Whisper, a translator and a speech synthesizer behind Socket.IO."""

__version__ = "1.0.0"
