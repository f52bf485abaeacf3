@019 @P1 @fixture
Feature: The counting broadcast has the format that was agreed on
  The counting broadcast has to be a file that everybody would publish: any other length, size or rate is another test.

  @019-DM2
  Scenario: Length, tracks and size of the counting broadcast
    When the file of the counting broadcast is inspected
    Then it lasts exactly 30 seconds
    And it has one H.264 video track
    And its video has 1280 x 720 pixels and 30 frames per second
    And it has one AAC audio track of 48 kHz
    And its audio has 2 channels
    And it is smaller than 50 MB
