@019 @P1 @counting
Feature: Dubbing a broadcast whose every second is known
  Somebody counts aloud from one to thirty, one number a second. The real services dub it, in five segments of six
  seconds. What is said when is known, so the output can be compared number by number. A fragment is the audio of one
  segment on its way through the STS, the speech-to-speech service that transcribes, translates and speaks it again.

  Background:
    Given all services are running

  @019-US1-1
  Scenario: The worker connects and starts ingesting
    When the counting broadcast is dubbed
    Then the worker starts ingesting within 5 seconds of publishing

  @019-US1-2
  Scenario: Six seconds of audio make a fragment
    When the counting broadcast is dubbed
    Then the STS receives the first fragment within 8 seconds of ingest
    And media-service sends 5 fragments
    And every fragment but the last holds 6 seconds ± 0.1 seconds of audio

  @019-US1-3
  Scenario: The Spanish dub of every fragment returns in time
    When the counting broadcast is dubbed
    Then every fragment is answered within 15 seconds
    And every processed fragment has dubbed audio, a transcript and a translation
    And every answer has the target language "es"
    And Spanish is heard in every dub, with a probability of at least 25 % in every 30 seconds, and in no dub English
    And what is heard in every dub is its translation, with a word error rate of at most 40 % each and 20 % on average

  @019-US1-4
  Scenario: Audio and video of every segment are in sync
    When the counting broadcast is dubbed
    Then the A/V offset of every segment is less than 120 ms
    And the A/V drift over the broadcast is at most 60 ms
    And media-service measures an A/V delta of less than 120 ms for every segment

  @019-US1-5
  Scenario: The output is available as soon as the first pair is remuxed
    When the counting broadcast is dubbed
    Then the output is available within 1 second of the first answer

  @019-US1-6
  Scenario: Five segments make thirty seconds
    When the counting broadcast is dubbed
    Then 5 processed fragments are received
    And their sequence numbers are 0 to 4, in order
    And every processed fragment holds a dub as long as the fragment ± 10 %
    And the output lasts 30 seconds ± 0.5 seconds
    And the STS logs every transcript and every translation
    And the broadcast is dubbed to its end within 180 seconds

  @019-SC
  Scenario: The dub is proved by the events and by the audio of the output
    When the counting broadcast is dubbed
    Then every processed fragment reports success and no error
    And the output has audio
    And the audio of the output is not the original
    And no fragment's dubbed audio is the original audio
    And what is heard in every segment of the output is its translation, with a word error rate of at most 40 % each and 20 % on average
