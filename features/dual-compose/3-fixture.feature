@019 @P2 @counting
Feature: The counting broadcast can be relied on
  A comparison number by number needs a broadcast that is active at once, is published once, and says what it is meant to
  say.

  Background:
    Given all services are running

  @019-US4-1 @judges-fixture
  Scenario: The broadcast is active in the media server at once
    When the counting broadcast is dubbed
    Then the media server lists the broadcast as ready within 2 seconds of publishing

  @019-US4-2
  Scenario: The publisher sends the broadcast once and leaves nothing behind
    When the counting broadcast is dubbed
    Then it is published once, to its end
    And the media server no longer lists the broadcast or its output

  @019-US4-3
  Scenario: Each use is a stream of its own
    When the short broadcast is dubbed twice at the same time
    Then each is a stream of its own, with answers of its own

  @019-US4-4
  Scenario: The transcripts are the numbers that were said
    When the counting broadcast is dubbed
    Then the word error rate of the transcripts is at most 25 % on average, and 75 % in each segment
    And the transcripts match the script, and the translations its meaning
