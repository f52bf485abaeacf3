@021 @P1
Feature: The dub is real speech in the right language
  Nothing is mocked: speech is recognised, translated and spoken again. An echo, silence or the original audio is not a
  dub, and a sentence that nobody said is not a transcript.

  Background:
    Given all services are running

  @broadcast @021-US4-1
  Scenario: The dubbed audio is speech, and not the original
    When the one-minute broadcast is dubbed
    Then every fragment's dubbed audio is as long as the fragment ± 10 %
    And every fragment's dubbed audio has at least 1 second of audible audio
    And no fragment's dubbed audio is the original audio
    And the original audio is not heard
    And every dub is heard once, whole, with its own video
    And every dub is heard as the STS returned it
    And every dub is heard at the speed at which the STS returned it
    And no English is spoken in the output
    And Spanish is heard in every dub, with a probability of at least 50 % in every 30 seconds, and in no dub English
    And what is heard in every dub is its translation, with a word error rate of at most 40 % each and 20 % on average
    And Spanish is heard in the output, with a probability of at least 50 % in every 30 seconds, and in no segment English
    And what is heard in every segment of the output is its translation, with a word error rate of at most 40 % each and 20 % on average
    And no splice is heard where segments meet
    And no dub is more than 10 dB louder or softer than the original was

  @broadcast @021-US4-2
  Scenario: The transcript is what was said, in English
    When the one-minute broadcast is dubbed
    Then the transcripts are in English
    And the word error rate of the transcripts is at most 25 % on average, and 75 % in each segment

  @broadcast @021-US4-3
  Scenario: The translation is Spanish
    When the one-minute broadcast is dubbed
    Then the translations are in Spanish
    And no translation is the transcript unchanged
    And the transcripts match the script, and the translations its meaning

  @broadcast @021-US4-4
  Scenario: All ten fragments succeed
    When the one-minute broadcast is dubbed
    Then 10 processed fragments are received
    And every processed fragment reports success and no error
    And every processed fragment holds a dub as long as the fragment ± 10 %
    And media-service counts no fallback to the original audio

  @fresh-words @021-FR-010 @021-US4-2
  Scenario: Words that nobody can know before the run are recognised
    When a broadcast of words composed for this run is dubbed
    Then every transcript has at least 5 of the 6 words composed for its segment
    And the transcripts are in English
    And the word error rate of the transcripts is at most 25 % on average, and 75 % in each segment

  @fresh-words @021-FR-011 @021-US4-3
  Scenario: Words that nobody can know before the run are translated
    When a broadcast of words composed for this run is dubbed
    Then every translation has at least 5 of the 6 words composed for its segment, in Spanish
    And the translations are in Spanish
    And no translation is the transcript unchanged

  @fresh-words @021-FR-012 @021-US4-1
  Scenario: Words that nobody can know before the run are spoken by the dub
    When a broadcast of words composed for this run is dubbed
    Then every dub says at least 4 of the 6 words composed for its segment, in Spanish
    And no fragment's dubbed audio is the original audio

  @fresh-words @021-FR-013 @021-FR-014 @021-SC-006 @021-US4-4
  Scenario: Viewers hear words that nobody could know before the run, in Spanish
    When a broadcast of words composed for this run is dubbed
    Then in every segment of the output at least 4 of the 6 words composed for it are heard, in Spanish
    And the original audio is not heard
    And every dub is heard once, whole, with its own video
    And every processed fragment reports success and no error
    And media-service counts no fallback to the original audio
