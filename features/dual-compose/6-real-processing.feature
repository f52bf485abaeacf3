@019 @P1
Feature: The STS listens, translates and speaks
  Sound is sent to the STS directly, as a worker would. What comes back is what was said, in Spanish; where nothing was
  said, nothing is invented.

  Background:
    Given all services are running

  @019-US3-1
  Scenario: Hello world
    When the STS is sent somebody saying "Hello world"
    Then it is transcribed as "Hello world"
    And it is translated as "Hola mundo"
    And its dub has at least 0.3 seconds of sound

  @019-US3-2
  Scenario: Speech in noise is understood
    When the STS is sent speech in noise, 10 dB below it
    Then at most 25 percent of its words are transcribed wrongly
    And its dub has at least 1 second of sound

  @019-US3-3
  Scenario: Silence stays silence
    When the STS is sent silence
    Then the transcript has at most 1 words
    And its dub has at most 0.5 seconds of sound

  @019-US3-4
  Scenario: Several fragments at once
    When the STS is sent 3 fragments of the counting broadcast at once
    Then 3 answers come back in order, none lost, none twice
    And each answer has the words of its own fragment
