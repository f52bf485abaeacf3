@019 @P1
Feature: The STS listens, translates and speaks
  Audio is sent to the STS directly, as a worker would. The answer is what was said, in Spanish; where nothing was said,
  nothing is invented.

  Background:
    Given all services are running

  @019-US3-1
  Scenario: Hello world
    When the STS is sent somebody saying "Hello world"
    Then the transcript is "Hello world"
    And the translation is "Hola mundo"
    And the dub has at least 0.3 seconds of audible audio
    And what is heard in the dub is the Spanish translation, with a word error rate of at most 40 %

  @019-US3-2
  Scenario: Speech in noise is understood
    When the STS is sent speech in noise that is 10 dB quieter
    Then the word error rate of the transcript is at most 25 %
    And the dub has at least 1 second of audible audio
    And what is heard in the dub is the Spanish translation, with a word error rate of at most 40 %

  @019-US3-3
  Scenario: Silence stays silence
    When the STS is sent silence
    Then the transcript has at most 1 word
    And the dub has at most 0.5 seconds of audible audio

  @019-US3-4
  Scenario: Several fragments at once
    When the STS is sent 3 fragments of the counting broadcast at once, and listened to for 5 seconds after the last answer
    Then 3 answers come back in order, none lost, none repeated, and no other in the 5 seconds after the last
    And each answer has the words of its own fragment
