@018 @P1 @echo
Feature: A minute of tones comes back as it went in
  The Echo STS answers each fragment with the sound that it was sent. A tone a second, whose pitch tells the second, is
  published with numbered pictures: every tone has to come back, and at its own picture.

  Background:
    Given one minute of tones is on the air
    When that broadcast has been dubbed to its end

  @018-US1-1
  Scenario: The worker takes up the broadcast at once
    Then the worker was reading the broadcast within 5 seconds of its being published

  @018-US1-2
  Scenario: Every six seconds become a segment on disk and a fragment
    Then media-service sent 10 fragments
    And every fragment but the last holds 6 seconds of sound, give or take 0.1 seconds
    And 10 segments were written to disk, each with 6 seconds of pictures and of sound, give or take 0.2 seconds

  @018-US1-3
  Scenario: The echo answers within a second
    Then 10 processed fragments were received
    And every fragment was answered within 1 second
    And every answer holds the very sound that was sent

  @018-US1-4 @018-US2-1
  Scenario: Sound and picture of every pair belong together
    Then media-service measured an A/V delta of less than 120 ms for every segment
    And every tone after the first second is heard less than 120 ms from its picture

  @018-US1-5
  Scenario: The output is there as soon as there is something to see
    Then the output was available within 1 second of the first answer

  @018-US1-6
  Scenario: Ten segments make a minute
    Then the metrics count 10 processed audio segments
    And no segment was played with its original audio
    And the output lasts 60 seconds, give or take 0.5 seconds
    And the output decodes to its end without an error
    And every picture of the broadcast is shown once, in order
    And media-service logged no error about it
    And the broadcast was dubbed to its end within 90 seconds
