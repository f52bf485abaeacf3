@021 @P1 @broadcast
Feature: A viewer can play the dubbed broadcast
  What counts is what a viewer gets: video that decodes, one audio track, the whole minute, audio and video in sync.

  Background:
    Given all services are running

  @021-US6-1
  Scenario: Every frame of the output decodes
    When the one-minute broadcast is dubbed
    Then the output decodes to its end without an error
    And at least 59 seconds of video are decoded
    And every frame of the broadcast is shown once, in order
    And the video shows what the broadcast shows
    And its frames keep one size and the shape of the broadcast

  @021-US6-2
  Scenario: The output has one video and one audio track
    When the one-minute broadcast is dubbed
    Then the output has one H.264 video track and one AAC audio track
    And the audio is heard in every channel

  @021-US6-3
  Scenario: The output is as long as the broadcast
    When the one-minute broadcast is dubbed
    Then the output begins at most 0.5 seconds into the broadcast
    And the output lasts between 59 and 61 seconds
    And the output ends at most 0.5 seconds before the broadcast does
    And the timestamps of the output have no gap

  @021-US6-4
  Scenario: media-service measures audio and video in sync
    When the one-minute broadcast is dubbed
    Then media-service measures an A/V delta of less than 120 ms for every segment, if it says so
