@018 @P2 @echo
Feature: A circuit breaker spares viewers an STS that fails
  The relay between media-service and the Echo STS makes answers fail. It also makes every echo half as loud, so that an
  echo and the original sound, which viewers get instead of it, can be told apart in the output.

  Rule: Five time-outs in a row open it, half a minute later one fragment tries

    Background:
      Given 78 seconds of tones are on the air, and this happens:
        | every fragment   | the dub is half as loud          |
        | fragments 0 to 4 | the answer takes 1 second longer |
        | fragments 0 to 4 | the answer is the error TIMEOUT  |
      When that broadcast has been dubbed to its end

    @018-US3-1
    Scenario: It opens, and viewers hear the original sound
      Then the breaker opened after exactly 5 TIMEOUT errors in a row
      And the original sound is heard in segments 0 to 9, and the echo in every other

    @018-US3-2
    Scenario: While it is open, the STS is left alone
      Then nothing was sent while the breaker was open
      And 5 segments count as played with original audio because of error
      And 5 segments count as played with original audio because of circuit_open

    @018-US3-3
    Scenario: After 30 seconds one fragment tries whether the STS is back
      Then the breaker was half-open 30 seconds after it had opened, give or take 1 second
      And exactly 1 fragment was sent while it was half-open

    @018-US3-4
    Scenario: When that fragment is answered, dubbing goes on
      Then it closed when that fragment was answered
      And fragments were sent and answered again after it had closed
      And the metric of the breaker said the same all the time
      And every tone after the first second is heard less than 120 ms from its picture

  Rule: An error that no retry can mend says nothing about the STS

    @018-US3-5
    Scenario: Six refusals in a row do not open it
      Given 42 seconds of tones are on the air, and this happens:
        | every fragment   | the dub is half as loud                |
        | fragments 0 to 5 | the answer is the error INVALID_CONFIG |
      When that broadcast has been dubbed to its end
      Then the breaker never opened
      And media-service sent 7 fragments
      And the original sound is heard in segments 0 to 5, and the echo in every other
