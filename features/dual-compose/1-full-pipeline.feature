@019 @P1 @counting
Feature: Dubbing a broadcast whose every second is known
  Somebody counts aloud from one to thirty, one number a second. The real services dub it, in five segments of six
  seconds. What was said when is known, so what comes out can be compared number by number.

  Background:
    Given all services are running
    When the counting broadcast is dubbed

  @019-US1-1
  Scenario: The worker takes up the stream at once
    Then the worker was reading the broadcast within 5 seconds of its being published

  @019-US1-2
  Scenario: Six seconds of sound make a fragment
    Then the STS received the first fragment within 8 seconds of the worker reading the broadcast
    And every fragment but the last holds 6 seconds of sound, give or take 0.1 seconds

  @019-US1-3
  Scenario: The Spanish dub of every fragment comes back in time
    Then every fragment was answered within 15 seconds
    And every processed fragment has dubbed audio, a transcript and a translation
    And every answer says that its language is Spanish

  @019-US1-4
  Scenario: Sound and picture of every segment belong together
    Then in every segment the dub plays less than 120 ms from its pictures
    And sound and picture do not drift apart
    And media-service measured an A/V delta of less than 120 ms for every segment

  @019-US1-5
  Scenario: The output is there as soon as there is something to see
    Then the output was available within 1 second of the first answer

  @019-US1-6
  Scenario: Five segments make thirty seconds
    Then 5 processed fragments were received
    And they carry the sequence numbers 0 to 4, in order
    And the output lasts 30 seconds, give or take 0.5 seconds
    And the log of the STS has every transcript and every translation
    And the broadcast was dubbed to its end within 180 seconds

  @019-SC
  Scenario: The dub is shown by the answers and by the sound of the output
    Then every processed fragment reports success and no error
    And there is sound in the output
    And the sound of the output is not the original
    And the dubbed audio of no fragment is the original audio
