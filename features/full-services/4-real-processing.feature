@021 @P1 @broadcast
Feature: The dub is real speech in the right language
  Nothing is mocked: speech is recognised, translated and spoken again. An echo, silence or the original audio is not a
  dub, and a sentence that nobody said is not a transcript.

  Background:
    Given all services are running

  @021-US4-1
  Scenario: The dubbed audio is speech, and not the original
    When the one-minute broadcast is dubbed
    Then every fragment's dubbed audio is as long as the fragment ± 10 %
    And every fragment's dubbed audio has at least 1 second of audible audio
    And no fragment's dubbed audio is the original audio
    And the original audio is not heard
    And every dub is heard once, whole, with its own video
    And no English is spoken in the output
    And no splice is heard where segments meet

  @021-US4-2
  Scenario: The transcript is what was said, in English
    When the one-minute broadcast is dubbed
    Then the transcripts are in English
    And the mean word error rate of the transcripts is at most 25 %

  @021-US4-3
  Scenario: The translation is Spanish
    When the one-minute broadcast is dubbed
    Then the translations are in Spanish
    And no translation is the transcript unchanged
    And the transcripts match the script, and the translations its meaning

  @021-US4-4
  Scenario: All ten fragments succeed
    When the one-minute broadcast is dubbed
    Then 10 processed fragments are received
    And every processed fragment reports success and no error
    And media-service counts no fallback to the original audio
