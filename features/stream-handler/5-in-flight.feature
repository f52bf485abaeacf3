@018 @P2 @echo
Feature: No more than three fragments are in flight
  A fragment is in flight from being sent to being answered or timed out.

  Rule: A fourth waits until there is a slot

    Background:
      Given media-service is running with the Echo STS in segments of 2 seconds
      And these faults:
        | every fragment | the dub is half as loud      |
        | every fragment | the answer takes 6.5 seconds |

    @018-US5-1
    Scenario: Never more than three
      When 24 seconds of the tone broadcast are dubbed
      Then at most 3 fragments are in flight at once, and 3 are at least once
      And every segment plays its dub

    @018-US5-2
    Scenario: An answer frees a slot
      When 24 seconds of the tone broadcast are dubbed
      Then a waiting fragment is sent within 1 second of an answer

    @018-US5-3
    Scenario: The metric is the number in flight
      When 24 seconds of the tone broadcast are dubbed
      Then the in-flight metric showed the real number throughout

  Rule: What is not answered within eight seconds times out

    @018-US5-4 @018-E5
    Scenario: An STS that never answers costs viewers the dub, but not the broadcast
      Given media-service is running with the Echo STS
      And these faults:
        | every fragment | the answer is dropped |
      When 48 seconds of the tone broadcast are dubbed
      Then every fragment that is sent times out after 8 seconds ± 1 second
      And the breaker opens after exactly 5 timeouts in a row
      And the breaker is open at the end
      And every segment plays the original audio
      And media-service counts a fallback to the original audio for every segment
      And the A/V offset of every tone after the first second is less than 120 ms
