@018 @P2 @echo @edge-case
Feature: When something goes wrong, one stream has the damage, and only that
  Each broadcast has a fault of its own. They are dubbed at the same time, by one media-service.

  @018-E1 @own-services @needs-local-host
  Scenario: The RTSP source cannot be read
    Given a media composition whose RTSP source is unreadable
    When the short broadcast is published to its media server
    Then media-service attempts to read it again after 1, 2 and 4 seconds
    And it logs an error about the source
    And that worker exits with a code other than 0

  Rule: One stream, one fault

    Background:
      Given media-service is running with the Echo STS

    @018-E2
    Scenario: A dub of another length is fitted up to ten percent, and replaced beyond
      Given these faults:
        | every fragment | the dub is half as loud       |
        | fragment 0     | the dub is 5 percent longer   |
        | fragment 1     | the dub is 5 percent shorter  |
        | fragment 2     | the dub is 15 percent longer  |
        | fragment 3     | the dub is 15 percent shorter |
        | fragment 4     | the dub is not Base64         |
      When 36 seconds of the tone broadcast are dubbed
      Then segments 2 to 4 play the original audio, all the others their dub
      And the A/V offset of every tone after the first second is less than 120 ms
      And the output lasts 36 seconds ± 0.5 seconds

    @018-E3
    Scenario: The output cannot be published
      When 12 seconds of the tone broadcast are dubbed and the media server refuses the output
      Then no output is published
      And media-service logs an error about it
      And its worker exits with a code other than 0

    @018-E4
    Scenario: There is no audio to dub
      When the video-only broadcast is dubbed
      Then no output is published
      And media-service logs an error about it
      And its worker exits with a code other than 0

    @018-E6
    Scenario: Video waits for a dub that takes six seconds
      Given these faults:
        | every fragment | the dub is half as loud    |
        | every fragment | the answer takes 6 seconds |
      When 18 seconds of the tone broadcast are dubbed
      Then every segment plays its dub
      And the A/V offset of every tone after the first second is less than 120 ms

    @018-E7
    Scenario Outline: Nothing arrives <where> any more, not even a ping
      Given these faults:
        | every fragment              | the dub is half as loud          |
        | when fragment 0 is answered | nothing arrives <where> any more |
      When 54 seconds of the tone broadcast are dubbed
      Then media-service is reconnected within 40 seconds of the silence
      And media-service counts 1 reconnection
      And the stream is initialised again, with sequence numbers from 0
      And the segments from 1 to the reconnection play the original audio, all the others their dub

      Examples:
        | where        |
        | from the STS |
        | at the STS   |

    @018-E8
    Scenario: The connection is lost during a pause
      Given these faults:
        | every fragment                         | the dub is half as loud  |
        | when fragment 0 is answered            | the STS requests a pause |
        | 8 seconds after fragment 0 is answered | the connection is lost   |
      When 30 seconds of the tone broadcast are dubbed
      Then the stream is initialised again, with sequence numbers from 0
      And segment 1 plays the original audio, all the others their dub

    @018-US3-1
    Scenario: The Echo STS itself can be told to fail
      Given the Echo STS is told to answer fragment 1 with the error "TIMEOUT"
      And the Echo STS is told to disconnect after 21 seconds
      When 24 seconds of the tone broadcast are dubbed
      Then media-service counts 1 fallback because of "error"
      And media-service counts 1 reconnection
      And the breaker never opens

  Rule: Eight broadcasts with faults do not disturb one another, or one without

    Background:
      Given media-service is running with the Echo STS
      And these broadcasts with faults are dubbed at the same time:
        | 78 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | fragments 0 to 4                     | the answer is delayed by 1.5 seconds            |
        |                                  | fragments 0 to 4                     | the answer is the error TIMEOUT                 |
        | 72 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | when the STS has accepted the stream | the connection is lost and refused from then on |
        | 54 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | when fragment 0 is answered          | nothing arrives from the STS any more           |
        | 54 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | when fragment 0 is answered          | nothing arrives at the STS any more             |
        | 48 seconds of the tone broadcast | every fragment                       | the answer is dropped                           |
        | 42 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | fragments 0 to 5                     | the answer is the error INVALID_CONFIG          |
        | 36 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | when fragment 2 is sent              | the connection is lost                          |
        | 36 seconds of the tone broadcast | every fragment                       | the dub is half as loud                         |
        |                                  | fragment 0                           | the dub is 5 percent longer                     |
        |                                  | fragment 1                           | the dub is 5 percent shorter                    |
        |                                  | fragment 2                           | the dub is 15 percent longer                    |
        |                                  | fragment 3                           | the dub is 15 percent shorter                   |
        |                                  | fragment 4                           | the dub is not Base64                           |

    @018-US1-6
    Scenario: A broadcast without faults is not disturbed
      When the one-minute tone broadcast is dubbed meanwhile
      Then at least 8 broadcasts with faults are dubbed at the same time as it
      And media-service counts no fallback to the original audio
      And the A/V offset of every tone after the first second is less than 120 ms
      And media-service counts 0 reconnections

    @018-SC
    Scenario: Every metric moves as it should
      When the one-minute tone broadcast is dubbed meanwhile
      Then every metric is there, with its type
      And for every broadcast each metric is what was seen from outside
      And for every broadcast the metrics count as many dubbed and original segments as a viewer hears
