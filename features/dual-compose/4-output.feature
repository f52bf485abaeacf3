@019 @P2 @counting
Feature: The dubbed counting can be played
  One picture, one Spanish sound track, thirty seconds, and a recording that plays from beginning to end.

  Background:
    Given all services are running
    When the counting broadcast is dubbed

  @019-US6-1
  Scenario: The output has one picture and one sound track
    Then the output has one H.264 picture and one AAC sound track

  @019-US6-2
  Scenario: The output is as long as the broadcast
    Then the output lasts 30 seconds, give or take 0.5 seconds

  @019-US6-3
  Scenario: The sound track is the Spanish dub
    Then every answer says that its language is Spanish
    And nobody speaks English in the output
    And the original sound is not heard
    And every dub is heard once, whole, at its pictures

  @019-US6-4
  Scenario: A recording of the output plays without corruption
    Then the output decodes to its end without an error
    And at least 29 seconds of pictures are decoded
    And every picture of the broadcast is shown once, in order
    And the timestamps of the output go on without gaps
    And nothing is heard where segments meet
