@018 @P1 @echo
Feature: Audio and video stay in sync, however long the STS takes
  The A/V offset is the time at which a tone is heard minus the time at which its frame is shown, by the timestamps (PTS)
  of the recorded output: positive when the audio is late.

  Background:
    Given media-service is running with the Echo STS

  @018-US2-2 @018-US2-3
  Scenario: A varying latency of the STS is absorbed without drift
    Given these faults:
      | every fragment | the answer is delayed by 0 to 500 ms |
    When 60 seconds of the tone broadcast are dubbed
    Then the A/V offset of every tone after the first second is less than 120 ms
    And the A/V offset drifts by less than 20 ms from the first tone to the last
    And media-service counts no fallback to the original audio
    And media-service measures an A/V delta of less than 120 ms for every segment

  @018-US2-4
  Scenario: A slow audio clock is corrected by a gradual slew
    When the slow-audio-clock tone broadcast is dubbed
    Then the A/V offset of every tone after the first second is less than 120 ms
    And the A/V offset drifts by less than 20 ms from the first tone to the last
    And the audio goes on without a jump or a gap of more than 1 ms

  @018-US2-4
  Scenario: The correction of a slow audio clock is logged
    When the slow-audio-clock tone broadcast is dubbed
    Then media-service reports at least once that it corrects by "slew"
