@018 @P2 @echo @edge-case
Feature: When something goes wrong, one stream has the damage, and only that
  Each broadcast has a fault of its own. They are on the air at the same time, on one media-service.

  @018-E1 @own-services @needs-local-host
  Scenario: The broadcast cannot be read
    Given a media composition whose broadcasts nobody can read
    When a short broadcast is published to it
    Then media-service tried to read it again after 1, 2 and 4 seconds
    And it logged an error that names "not available", and its worker ended with an exit code other than 0

  @018-E2
  Scenario: A dub of another length is fitted up to ten percent, and replaced beyond
    Given 36 seconds of tones are on the air, and this happens:
      | every fragment | the dub is half as loud       |
      | fragment 0     | the dub is 5 percent longer   |
      | fragment 1     | the dub is 5 percent shorter  |
      | fragment 2     | the dub is 15 percent longer  |
      | fragment 3     | the dub is 15 percent shorter |
      | fragment 4     | the dub is not Base64         |
    When that broadcast has been dubbed to its end
    Then the original sound is heard in segments 2 to 4, and the echo in every other
    And every tone after the first second is heard less than 120 ms from its picture
    And the output lasts 36 seconds, give or take 0.5 seconds

  @018-E3
  Scenario: The output cannot be published
    Given 12 seconds of tones are on the air, and the media server refuses the output
    When that broadcast has been dubbed to its end
    Then nothing was published as its output
    And media-service logged an error about it: "RTMP publishing"
    And its worker ended with an exit code other than 0, and the log says so

  @018-E4
  Scenario: There is no sound to dub
    Given a broadcast without a sound track is on the air
    When that broadcast has been dubbed to its end
    Then nothing was published as its output
    And media-service logged an error about it: "audio track required for dubbing"
    And its worker ended with an exit code other than 0, and the log says so

  @018-E6
  Scenario: Pictures wait for a dub that takes six seconds
    Given 18 seconds of tones are on the air, and this happens:
      | every fragment | the dub is half as loud           |
      | every fragment | the answer takes 6 seconds longer |
    When that broadcast has been dubbed to its end
    Then the original sound is heard in no segment, and the echo in every other
    And every tone after the first second is heard less than 120 ms from its picture

  @018-E7
  Scenario Outline: Nothing arrives <where> any more, not even a ping
    Given 54 seconds of tones are on the air, and this happens:
      | every fragment              | the dub is half as loud          |
      | when fragment 0 is answered | nothing arrives <where> any more |
    When that broadcast has been dubbed to its end
    Then it was connected again 40 seconds or less after that
    And the metrics count 1 reconnection
    And the stream was initialised again, and its fragments counted from 0 again
    And the original sound is heard from segment 1 until it was connected again, and the echo before and after

    Examples:
      | where        |
      | from the STS |
      | at the STS   |

  @018-E8
  Scenario: The connection is lost during a pause
    Given 30 seconds of tones are on the air, and this happens:
      | every fragment                         | the dub is half as loud  |
      | when fragment 0 is answered            | the STS asks for a pause |
      | 8 seconds after fragment 0 is answered | the connection is cut    |
    When that broadcast has been dubbed to its end
    Then the stream was initialised again, and its fragments counted from 0 again
    And the original sound is heard in segment 1, and the echo in every other

  @018-US3-1
  Scenario: The Echo STS itself can be told to fail
    Given 24 seconds of tones are on the air, and the Echo STS is told:
      | answer fragment 1 with the error TIMEOUT |
      | disconnect after 21 seconds              |
    When that broadcast has been dubbed to its end
    Then 1 segment counts as played with original audio because of error
    And the metrics count 1 reconnection
    And the breaker never opened

  @018-US1-6
  Scenario: A broadcast without faults has none
    Given one minute of tones is on the air
    When that broadcast has been dubbed to its end
    Then meanwhile, 8 or more other broadcasts were on the air for which something went wrong
    And no segment was played with its original audio
    And every tone after the first second is heard less than 120 ms from its picture
    And the metrics count 0 reconnections

  @018-SC
  Scenario: Every metric says what was seen from outside
    Given one minute of tones is on the air
    When all broadcasts through the Echo STS have been dubbed
    Then every metric is there, of the right kind
    And each metric of each of them is what was seen from outside
    And each segment of each of them counts as what was heard
