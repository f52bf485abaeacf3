@018 @P3 @echo
Feature: A lost connection to the STS is restored
  The tap cuts the connection between media-service and the Echo STS.

  Rule: It is restored at the first attempt

    Background:
      Given media-service is running with the Echo STS
      And these faults:
        | every fragment          | the dub is half as loud |
        | when fragment 2 is sent | the connection is lost  |

    @018-US6-1
    Scenario: The fragment in flight falls back to its original audio at once
      When 36 seconds of the tone broadcast are dubbed
      Then segment 2 plays the original audio, all the others their dub
      And the fragment in flight falls back within 0.5 seconds of the loss

    @018-US6-3
    Scenario: The stream is initialised again, and numbering restarts
      When 36 seconds of the tone broadcast are dubbed
      Then media-service is reconnected at its first attempt, 2 seconds ± 20 % after the loss
      And the stream is initialised again, with sequence numbers from 0
      And numbering restarts at the next segment boundary

    @018-US6-5
    Scenario: Dubbing goes on as if nothing had happened
      When 36 seconds of the tone broadcast are dubbed
      Then media-service counts 1 reconnection
      And the breaker never opens
      And the A/V offset of every tone after the first second is less than 120 ms

  Rule: After five attempts in vain the worker ends

    Background:
      Given media-service is running with the Echo STS
      And these faults:
        | every fragment                       | the dub is half as loud                         |
        | when the STS has accepted the stream | the connection is lost and refused from then on |

    @018-US6-2
    Scenario: The backoff doubles before each further attempt
      When 72 seconds of the tone broadcast are dubbed
      Then media-service attempts to reconnect after 2, 4, 8, 16 and 32 seconds ± 20 %

    @018-US6-4
    Scenario: The worker ends with an error
      When 72 seconds of the tone broadcast are dubbed
      Then its worker exits with a code other than 0
      And media-service logs an error about it
