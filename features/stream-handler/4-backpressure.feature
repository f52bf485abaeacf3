@018 @P2 @echo
Feature: media-service sends as fast as the STS can take it
  The relay asks for a pause, for a distance between fragments, and to go on, in the name of the Echo STS.

  Background:
    Given 42 seconds of tones are on the air, and this happens:
      | every fragment                            | the dub is half as loud                   |
      | when fragment 0 is answered               | the STS asks for a pause                  |
      | 12.5 seconds after fragment 0 is answered | the STS asks to go on as usual            |
      | when fragment 3 is answered               | the STS asks for a pause                  |
      | 12.5 seconds after fragment 3 is answered | the STS asks for 500 ms between fragments |
      | when fragment 5 is answered               | the STS asks to go on as usual            |
    When that broadcast has been dubbed to its end

  @018-US4-1
  Scenario: A pause stops sending
    Then nothing was sent during the pause

  @018-US4-2
  Scenario: The end of the pause resumes it
    Then 2 fragments were sent within 1 second of its end
    And the original sound is heard in no segment, and the echo in every other

  @018-US4-3
  Scenario: Fragments keep the distance that is asked for
    Then while asked for 500 ms between them, 2 fragments or more were sent, at least that far apart

  @018-US4-4
  Scenario: Every request is counted
    Then the metrics count 2 pauses, 1 slow-down and 2 all-clears
    And every tone after the first second is heard less than 120 ms from its picture
