@018 @P2 @echo
Feature: media-service sends as fast as the STS can take it
  Backpressure is how an STS asks for less: to pause, to slow down, or to go on. The tap sends these requests in the name
  of the Echo STS.

  Background:
    Given media-service is running with the Echo STS

  @018-US4-1
  Scenario: A pause stops sending
    Given these faults:
      | every fragment                            | the dub is half as loud       |
      | when fragment 0 is answered               | the STS requests a pause      |
      | 12.5 seconds after fragment 0 is answered | the STS ends the backpressure |
      | when fragment 2 is answered               | the STS requests a pause      |
      |    8 seconds after fragment 2 is answered | the STS ends the backpressure |
    When 30 seconds of the tone broadcast are dubbed
    Then nothing is sent during each of the 2 pauses

  @018-US4-2
  Scenario: The end of the pause resumes sending
    Given these faults:
      | every fragment                            | the dub is half as loud       |
      | when fragment 0 is answered               | the STS requests a pause      |
      | 12.5 seconds after fragment 0 is answered | the STS ends the backpressure |
      | when fragment 2 is answered               | the STS requests a pause      |
      |    8 seconds after fragment 2 is answered | the STS ends the backpressure |
    When 30 seconds of the tone broadcast are dubbed
    Then 2 fragments are sent within 1 second of the end of the first pause
    And every segment plays its dub

  @018-US4-3
  Scenario: Slow-down spaces the fragments
    Given these faults:
      | every fragment                            | the dub is half as loud                   |
      | when fragment 0 is answered               | the STS requests a pause                  |
      | 12.5 seconds after fragment 0 is answered | the STS requests 500 ms between fragments |
      | when fragment 2 is answered               | the STS ends the backpressure             |
    When 30 seconds of the tone broadcast are dubbed
    Then at least 2 fragments are sent during the slow-down, each at least 500 ms after the one before
    And every segment plays its dub

  @018-US4-4
  Scenario: Every request is counted by its action
    Given these faults:
      | when fragment 0 is answered            | the STS requests a pause                  |
      | 3 seconds after fragment 0 is answered | the STS ends the backpressure             |
      | when fragment 1 is answered            | the STS requests a pause                  |
      | 3 seconds after fragment 1 is answered | the STS requests 500 ms between fragments |
      | when fragment 2 is answered            | the STS ends the backpressure             |
    When 24 seconds of the tone broadcast are dubbed
    Then media-service counts these backpressure requests:
      | pause | slow_down | none |
      |     2 |         1 |    2 |
    And the A/V offset of every tone after the first second is less than 120 ms
