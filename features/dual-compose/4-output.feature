@019 @P2 @counting
Feature: The dubbed counting can be played
  One video track, one Spanish audio track, thirty seconds, and a recording that plays from beginning to end.

  Background:
    Given all services are running

  @019-US6-1
  Scenario: The output has one video and one audio track
    When the counting broadcast is dubbed
    Then the output has one H.264 video track and one AAC audio track

  @019-US6-2
  Scenario: The output is as long as the broadcast
    When the counting broadcast is dubbed
    Then the output begins at most 0.5 seconds into the broadcast
    And the output lasts 30 seconds ± 0.5 seconds
    And the output ends at most 0.5 seconds before the broadcast does

  @019-US6-3
  Scenario: The audio track is the Spanish dub
    When the counting broadcast is dubbed
    Then every answer has the target language "es"
    And no English is spoken in the output
    And the original audio is not heard
    And every dub is heard once, whole, with its own video
    And Spanish is heard in the output, with a probability of at least 25 % in every 30 seconds, and in no segment English
    And what is heard in every segment of the output is its translation, with a word error rate of at most 40 % each and 20 % on average

  @019-US6-4
  Scenario: A recording of the output plays without corruption
    When the counting broadcast is dubbed
    Then the output decodes to its end without an error
    And at least 29 seconds of video are decoded
    And every frame of the broadcast is shown once, in order
    And the video shows what the broadcast shows
    And its frames keep one size and the shape of the broadcast
    And the timestamps of the output have no gap
    And no splice is heard where segments meet
    And every dub is heard as the STS returned it
    And every dub is heard at the speed at which the STS returned it
    And the audio is heard in every channel
