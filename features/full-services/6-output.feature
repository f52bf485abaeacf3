@021 @P1 @broadcast
Feature: A viewer can play the dubbed broadcast
  What counts is what a viewer gets: pictures that decode, one sound track, the whole minute, sound and picture
  together.

  Background:
    Given all services are running
    When the one-minute broadcast is dubbed

  @021-US6-1
  Scenario: Every picture of the output decodes
    Then the output decodes to its end without an error
    And at least 59 seconds of pictures are decoded
    And every picture of the broadcast is shown once, in order

  @021-US6-2
  Scenario: The output has one picture and one sound track
    Then the output has one H.264 picture and one AAC sound track

  @021-US6-3
  Scenario: The output is as long as the broadcast
    Then the output lasts between 59 and 61 seconds
    And the timestamps of the output go on without gaps

  @021-US6-4
  Scenario: media-service measures sound and picture together
    Then media-service measured an A/V delta of less than 120 ms for every segment
