@018 @P1 @echo
Feature: A minute of tones comes back as it went in
  The Echo STS answers each fragment with the audio that it was sent. A tone a second, whose pitch tells the second, is
  published with numbered frames: every tone has to come back, and at its own frame.

  Background:
    Given media-service is running with the Echo STS

  @018-US1-1
  Scenario: The worker starts ingesting at once
    When the one-minute tone broadcast is dubbed
    Then the worker starts ingesting within 5 seconds of publishing

  @018-US1-2
  Scenario: Every six seconds become a segment on disk and a fragment
    When the one-minute tone broadcast is dubbed
    Then media-service sends 10 fragments
    And every fragment but the last holds 6 seconds ± 0.1 seconds of audio
    And 10 segments are written to disk, each with 6 seconds ± 0.2 seconds of video and of audio

  @018-US1-3
  Scenario: The echo answers within a second
    When the one-minute tone broadcast is dubbed
    Then 10 processed fragments are received
    And every fragment is answered within 1 second
    And every answer holds the very audio that was sent

  @018-US1-4 @018-US2-1
  Scenario: Audio and video of every pair are in sync
    When the one-minute tone broadcast is dubbed
    Then media-service measures an A/V delta of less than 120 ms for every segment
    And the A/V offset of every tone after the first second is less than 120 ms

  @018-US1-5
  Scenario: The output is available as soon as the first pair is remuxed
    When the one-minute tone broadcast is dubbed
    Then the output is available within 1 second of the first answer

  @018-US1-6
  Scenario: Ten segments make a minute
    When the one-minute tone broadcast is dubbed
    Then media-service counts 10 processed audio segments
    And media-service counts no fallback to the original audio
    And the output begins at most 0.5 seconds into the broadcast
    And the output lasts 60 seconds ± 0.5 seconds
    And the output ends at most 0.5 seconds before the broadcast does
    And the output decodes to its end without an error
    And every frame of the broadcast is shown once, in order
    And the video shows what the broadcast shows
    And the audio is heard in every channel
    And media-service logs no error about it
    And the broadcast is dubbed to its end within 90 seconds
