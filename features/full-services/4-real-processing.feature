@021 @P1 @broadcast
Feature: The dub is real speech in the right language
  Nothing is mocked: speech is recognised, translated and spoken again. An echo, silence or the original audio is not a
  dub, and a sentence that nobody said is not a transcript.

  Background:
    Given all services are running
    When the one-minute broadcast is dubbed

  @021-US4-1
  Scenario: The dubbed audio is speech, and not the original
    Then the dubbed audio of every fragment is as long as the fragment, give or take 10 percent
    And the dubbed audio of every fragment has at least 1 second of sound
    And the dubbed audio of no fragment is the original audio
    And the original sound is not heard
    And every dub is heard once, whole, at its pictures
    And nobody speaks English in the output
    And nothing is heard where segments meet

  @021-US4-2
  Scenario: The transcript is what was said, in English
    Then the transcripts are in English
    And the transcripts differ from the script in at most 25 percent of the words on average

  @021-US4-3
  Scenario: The translation is Spanish
    Then the translations are in Spanish
    And no translation is the transcript unchanged
    And the transcripts are what was said and the translations what they mean

  @021-US4-4
  Scenario: All ten fragments succeeded
    Then 10 processed fragments were received
    And every processed fragment reports success and no error
    And no segment was played with its original audio
