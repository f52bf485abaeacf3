@021 @P1 @broadcast
Feature: Dubbing a one-minute broadcast from end to end
  A one-minute English broadcast is published once. The real services dub it. A viewer gets the same pictures with a
  Spanish dub: ten segments of six seconds, none lost.

  Background:
    Given all services are running
    When the one-minute broadcast is dubbed

  @021-US2-1
  Scenario: The broadcast appears in the media server
    Then the broadcast was listed as ready within 10 seconds of being published

  @021-US2-2
  Scenario: A worker takes up the stream and says so in its metrics
    Then the metrics of its worker appeared within 10 seconds of the stream being active

  @021-US2-3
  Scenario: Every segment comes back processed
    Then 10 processed fragments were received
    And they carry the sequence numbers 0 to 9, in order

  @021-US2-4
  Scenario: Every processed fragment carries the work of all three stages
    Then every processed fragment has dubbed audio, a transcript and a translation
    And every processed fragment took time in transcription, translation and speech synthesis

  @021-US2-5
  Scenario: The dubbed broadcast is there to watch, complete and in the right codecs
    Then a viewer who joined live saw at least 55 seconds of it
    And the output has one H.264 picture and one AAC sound track
    And the output lasts 60 seconds, give or take 1 second
    And there is sound in the output
    And the sound of the output is not the original

  @021-US2-6
  Scenario: Ten audio segments were processed, in sync with the pictures
    Then the metrics count 10 processed audio segments
    And in every segment the dub plays less than 120 ms from its pictures

  @021-SC
  Scenario: The whole pipeline is fast enough on an ordinary machine
    Then the broadcast was dubbed to its end within 300 seconds
    And the STS says that it runs on the CPU
