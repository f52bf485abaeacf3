@018 @P2 @echo
Feature: A circuit breaker spares viewers an STS that fails
  The tap, a relay between media-service and the Echo STS, makes answers fail. It also makes every dub half as loud, so
  that a dub and the original audio, which viewers get in its place, can be told apart in the output.

  Rule: Five timeouts in a row open it; half a minute later one fragment probes the STS

    Background:
      Given media-service is running with the Echo STS
      And these faults:
        | every fragment   | the dub is half as loud              |
        | fragments 0 to 4 | the answer is delayed by 1.5 seconds |
        | fragments 0 to 4 | the answer is the error TIMEOUT      |

    @018-US3-1
    Scenario: It opens, and viewers hear the original audio
      When 78 seconds of the tone broadcast are dubbed
      Then the breaker opens after exactly 5 TIMEOUT errors in a row
      And segments 0 to 9 play the original audio, all the others their dub

    @018-US3-2
    Scenario: While it is open, the STS is not called
      When 78 seconds of the tone broadcast are dubbed
      Then nothing is sent for 29 seconds after the breaker has opened
      And media-service counts 5 fallbacks because of "error"
      And media-service counts 5 fallbacks because of "circuit_open"

    @018-US3-3
    Scenario: After 30 seconds it is half-open and sends one probe
      When 78 seconds of the tone broadcast are dubbed
      Then the breaker is half-open 30 seconds ± 1 second after it opened
      And exactly 1 fragment is sent while it is half-open

    @018-US3-4
    Scenario: The probe succeeds, and dubbing resumes
      When 78 seconds of the tone broadcast are dubbed
      Then the breaker closes when its probe is answered
      And fragments are sent and answered again after it has closed
      And what media-service says of its breaker is what was seen from outside
      And the A/V offset of every tone after the first second is less than 120 ms

  Rule: A non-retryable error says nothing about the STS

    @018-US3-5
    Scenario: Six non-retryable errors in a row do not open it
      Given media-service is running with the Echo STS
      And these faults:
        | every fragment   | the dub is half as loud                |
        | fragments 0 to 5 | the answer is the error INVALID_CONFIG |
      When 42 seconds of the tone broadcast are dubbed
      Then the breaker never opens
      And media-service sends 7 fragments
      And segments 0 to 5 play the original audio, all the others their dub
