@021 @P1
Feature: The test broadcast is what the scenarios count on
  Durations, segments and transcripts are judged against a known broadcast. It has to be there, and to be what it is
  meant to be, before anything else means something.

  @021-US5-1 @judges-fixture
  Scenario: The broadcast file is there
    When the file of the one-minute broadcast is looked up
    Then the file exists

  @021-US5-2 @fixture
  Scenario: The broadcast lasts one minute
    When the file of the one-minute broadcast is inspected
    Then it lasts between 59 and 61 seconds

  @021-US5-3 @fixture
  Scenario: The broadcast has one video and one audio track
    When the file of the one-minute broadcast is inspected
    Then it has one H.264 video track
    And it has one AAC audio track of 44.1 kHz
    And its video has 1280 x 720 pixels and 30 frames per second
    And its audio has 2 channels
    And it is smaller than 50 MB

  @021-US5-4 @broadcast
  Scenario: This file is the one that is published
    Given all services are running
    When the one-minute broadcast is dubbed
    Then the published file is the inspected one
    And the media server received it packet by packet, but for at most 3 seconds at its start and 500 ms at its end
    And it is published once, to its end
