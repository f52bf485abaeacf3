@019 @P2 @counting
Feature: The counting broadcast can be relied on
  A comparison number by number needs a broadcast that arrives at once, is published once, and says what it is said to
  say.

  Background:
    Given all services are running
    When the counting broadcast is dubbed

  @019-US4-1 @judges-fixture
  Scenario: The broadcast is active in the media server at once
    Then the broadcast was listed as ready within 2 seconds of being published

  @019-US4-2
  Scenario: The publisher sends the broadcast once and leaves nothing behind
    Then it was published once, to its end
    And the media server lists neither the broadcast nor its output any more

  @019-US4-3
  Scenario: Each use is a stream of its own
    When the short broadcast is dubbed twice at the same time
    Then each was a stream of its own, with answers of its own

  @019-US4-4
  Scenario: The transcripts are the numbers that were said
    Then the transcripts differ from the script in at most 25 percent of the words on average
    And the transcripts are what was said and the translations what they mean
