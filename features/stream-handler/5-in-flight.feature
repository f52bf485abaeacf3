@018 @P2 @echo
Feature: No more than three fragments wait for an answer

  Rule: A fourth waits until there is a place

    Background:
      Given 24 seconds of tones are on the air in segments of 2 seconds, and this happens:
        | every fragment | the dub is half as loud             |
        | every fragment | the answer takes 6.5 seconds longer |
      When that broadcast has been dubbed to its end

    @018-US5-1
    Scenario: Never more than three
      Then never more than 3 fragments waited for an answer, and 3 did
      And the original sound is heard in no segment, and the echo in every other

    @018-US5-2
    Scenario: An answer makes a place
      Then a fragment that had to wait was sent within 1 second of an answer

    @018-US5-3
    Scenario: The metric tells how many there are
      Then the metric of fragments in flight said the same all the time

  Rule: What is not answered within eight seconds is given up

    @018-US5-4 @018-E5
    Scenario: An STS that never answers costs viewers the dub, but not the broadcast
      Given 48 seconds of tones are on the air, and this happens:
        | every fragment | there is no answer |
      When that broadcast has been dubbed to its end
      Then every fragment without an answer was given up 8 seconds after it was sent, give or take 1 second
      And the breaker opened after exactly 5 fragments in a row without an answer
      And the breaker was open at the end
      And the original sound is heard in every segment, and the echo in no other
      And every segment was played with its original audio
      And every tone after the first second is heard less than 120 ms from its picture
