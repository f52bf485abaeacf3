@019 @019-ENV @own-services
Feature: The variables of both compositions do what they say
  Each is set from outside to a value of spec 019, or to another one, and has its effect. What cannot be had, such as a
  model, a key or a device, is named at the health address, and nothing else is used in its place. Variables of ports and
  of addresses are shown where both compositions are coordinated.

  Rule: The STS composition

    Background:
      Given the STS has these values where a scenario names no other:
        | LOG_LEVEL          | INFO |
        | DEVICE             | cpu  |
        | MAX_INFLIGHT       |    3 |
        | PROCESSING_TIMEOUT |   30 |

    Scenario: HOST 0.0.0.0 listens on all addresses
      When the STS is started alone with HOST "0.0.0.0" and watched for 30 seconds
      Then it answers where it is published

    Scenario: HOST of another address listens there only
      When the STS is started alone with HOST "127.0.0.2" and watched for 15 seconds
      Then it runs, and nothing answers where it is published

    Scenario Outline: LOG_LEVEL <level> of the STS
      When the STS is started alone with LOG_LEVEL "<level>"
      Then its log begins at the level "<level>"

      Examples:
        | level |
        | DEBUG |
        | INFO  |
        | ERROR |

    Scenario Outline: ASR_MODEL <model> is used or missed
      When the STS is started alone with ASR_MODEL "<model>"
      Then it dubs what it is sent, or says at its health address that it cannot have what was named

      Examples:
        | model         |
        | whisper-small |
        | small         |
        | tiny.en       |

    Scenario Outline: ASR_MODEL <model> is missed
      When the STS is started alone with ASR_MODEL "<model>"
      Then it says at its health address that it cannot have what was named

      Examples:
        | model                 |
        | no-such-model         |
        | /no-such-folder/model |

    Scenario: TRANSLATION_PROVIDER google is used or missed
      When the STS is started alone with TRANSLATION_PROVIDER "google"
      Then it dubs what it is sent, or says at its health address that it cannot have what was named

    Scenario: TRANSLATION_PROVIDER of an unknown name is missed
      When the STS is started alone with TRANSLATION_PROVIDER "no-such-provider"
      Then it says at its health address that it cannot have what was named

    Scenario Outline: TTS_PROVIDER <provider> is used or missed
      When the STS is started alone with TTS_PROVIDER "<provider>"
      Then it dubs what it is sent, or says at its health address that it cannot have what was named

      Examples:
        | provider |
        | coqui    |
        | kokoro   |
        | espeak   |
        | piper    |

    Scenario: TTS_PROVIDER of an unknown name is missed
      When the STS is started alone with TTS_PROVIDER "no-such-provider"
      Then it says at its health address that it cannot have what was named

    Scenario: Each TTS_PROVIDER has a voice of its own
      When the STS is started alone with each of these as TTS_PROVIDER:
        | coqui  |
        | kokoro |
        | espeak |
        | piper  |
      Then no two of them that dub speak with the same voice

    Scenario: TTS_MODEL of the spec is used or missed
      When the STS is started alone with TTS_PROVIDER "coqui" and TTS_MODEL "tts_models/en/ljspeech/tacotron2-DDC"
      Then it dubs what it is sent, or says at its health address that it cannot have what was named

    Scenario: TTS_MODEL of an unknown file is missed
      When the STS is started alone with TTS_PROVIDER "piper" and TTS_MODEL "/no-such-folder/voice.onnx"
      Then it says at its health address that it cannot have what was named

    Scenario: DEVICE cpu is used
      When the STS is started alone with DEVICE "cpu"
      Then it dubs what it is sent

    Scenario: DEVICE cuda is used or missed
      When the STS is started alone with DEVICE "cuda"
      Then it dubs what it is sent, or says at its health address that it cannot have what was named

    Scenario: DEVICE of an unknown name is missed
      When the STS is started alone with DEVICE "no-such-device"
      Then it says at its health address that it cannot have what was named

    Scenario: MAX_INFLIGHT 3 limits the fragments in flight
      When the STS is started alone with MAX_INFLIGHT "3"
      Then it says that it takes 3 at once

    Scenario: MAX_INFLIGHT 1 limits the fragments in flight
      When the STS is started alone with MAX_INFLIGHT "1" and sent 2 fragments at once
      Then it says that it takes 1 at once
      And it refuses what is more, or asks to wait

    Scenario: PROCESSING_TIMEOUT 30 leaves time to dub
      When the STS is started alone with PROCESSING_TIMEOUT "30"
      Then every fragment is dubbed within 30 seconds, or answered with TIMEOUT then

    Scenario: PROCESSING_TIMEOUT 1 ends what takes longer
      When the STS is started alone with PROCESSING_TIMEOUT "1" and sent 20 seconds of speech as one fragment
      Then every fragment is dubbed within 1 second, or answered with TIMEOUT then

  Rule: The media composition

    Background:
      Given media-service has these values where a scenario names no other:
        | LOG_LEVEL   | DEBUG         |
        | SEGMENT_DIR | /tmp/segments |

    Scenario Outline: LOG_LEVEL <level> of media-service
      When the media composition is started alone with LOG_LEVEL "<level>" and a broadcast is published
      Then its log begins at the level "<level>"

      Examples:
        | level |
        | DEBUG |
        | INFO  |
        | ERROR |

    Scenario: SEGMENT_DIR /tmp/segments holds the segments
      When the media composition is started alone with SEGMENT_DIR "/tmp/segments" and a broadcast is published
      Then video and audio of its segments are in "/tmp/segments"
