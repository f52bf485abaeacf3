@021 @P1 @broadcast
Feature: Dubbing a one-minute broadcast from end to end
  A one-minute English broadcast is published once. The real services dub it. A viewer gets the same video with a Spanish
  dub: ten segments of six seconds, none lost. A fragment is the audio of one segment on its way through the STS, the
  speech-to-speech service that transcribes, translates and speaks it again.

  Background:
    Given all services are running

  @021-US2-1
  Scenario: The broadcast appears in the media server
    When the one-minute broadcast is dubbed
    Then the media server lists the broadcast as ready within 10 seconds of publishing
    And the media server receives the broadcast by RTMP, or by the protocol that is configured

  @021-US2-2
  Scenario: A worker takes up the stream and reports its metrics
    When the one-minute broadcast is dubbed
    Then the worker's metrics appear within 10 seconds of the stream being active

  @021-US2-3
  Scenario: Every segment comes back processed
    When the one-minute broadcast is dubbed
    Then 10 processed fragments are received
    And their sequence numbers are 0 to 9, in order
    And every processed fragment holds a dub as long as the fragment ± 10 %

  @021-US2-4
  Scenario: Every processed fragment carries the work of all three stages
    When the one-minute broadcast is dubbed
    Then every processed fragment has dubbed audio, a transcript and a translation
    And every processed fragment took time to process
    And Spanish is heard in every dub, with a probability of at least 50 % in every 30 seconds, and in no dub English
    And what is heard in every dub is its translation, with a word error rate of at most 40 % each and 20 % on average

  @021-US2-5
  Scenario: The dubbed broadcast is there to watch, complete and in the right codecs
    When the one-minute broadcast is dubbed
    Then a viewer who joined live saw at least 55 seconds of it
    And the output has one H.264 video track and one AAC audio track
    And the output lasts 60 seconds ± 1 second
    And the output has audio
    And the audio of the output is not the original
    And what is heard in every segment of the output is its translation, with a word error rate of at most 40 % each and 20 % on average

  @021-US2-6
  Scenario: Ten audio segments are processed, in sync with the video
    When the one-minute broadcast is dubbed
    Then media-service counts 10 processed audio segments
    And the A/V offset of every segment is less than 120 ms

  @021-SC
  Scenario: The whole pipeline is fast enough on an ordinary machine
    When the one-minute broadcast is dubbed
    Then the broadcast is dubbed to its end within 300 seconds
    And the STS is configured to run on the CPU alone
