@018 @P1 @echo
Feature: Sound and picture stay together, however long the STS takes
  What is shown and what is heard are compared in the recorded output, second by second.

  @018-US2-2 @018-US2-3
  Scenario: An STS that takes now more, now less time does not move the sound
    Given 60 seconds of tones are on the air, and this happens:
      | every fragment | the answer takes 0 to 500 ms longer |
    When that broadcast has been dubbed to its end
    Then every tone after the first second is heard less than 120 ms from its picture
    And sound and picture move apart by less than 20 ms from the first tone to the last
    And no segment was played with its original audio
    And media-service measured an A/V delta of less than 120 ms for every segment

  @018-US2-4
  Scenario: A sound clock that is slow is corrected little by little
    Given tones with a slow sound clock are on the air
    When that broadcast has been dubbed to its end
    Then every tone after the first second is heard less than 120 ms from its picture
    And sound and picture move apart by less than 20 ms from the first tone to the last
    And from one tone to the next, sound and picture move by less than 15 ms
    And media-service logged "corrected by slew" about it 2 times or more
