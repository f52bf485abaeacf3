@018 @P3 @echo
Feature: A lost connection to the STS is made again
  The relay cuts the connection between media-service and the Echo STS.

  Rule: It is made again at the first try

    Background:
      Given 36 seconds of tones are on the air, and this happens:
        | every fragment          | the dub is half as loud |
        | when fragment 2 is sent | the connection is cut   |
      When that broadcast has been dubbed to its end

    @018-US6-1
    Scenario: The fragment in flight keeps its original sound, at once
      Then the fragment in flight was given up within 0.5 seconds of the loss
      And the original sound is heard in segment 2, and the echo in every other

    @018-US6-3
    Scenario: The stream is initialised again and counted from 0
      Then it was connected again at its first try, 2 seconds later, give or take 20 percent
      And the stream was initialised again, and its fragments counted from 0 again
      And each of them begins at a mark of 6 seconds

    @018-US6-5
    Scenario: Dubbing goes on as if nothing had happened
      Then the metrics count 1 reconnection
      And the breaker never opened
      And every tone after the first second is heard less than 120 ms from its picture

  Rule: After five tries in vain the worker ends

    Background:
      Given 72 seconds of tones are on the air, and this happens:
        | every fragment                       | the dub is half as loud                        |
        | when the STS has accepted the stream | the connection is cut and refused from then on |
      When that broadcast has been dubbed to its end

    @018-US6-2
    Scenario: It waits twice as long before each further try
      Then it tried to connect again after 2, 4, 8, 16 and 32 seconds, give or take 20 percent

    @018-US6-4
    Scenario: Then it ends, and says so
      Then its worker ended with an exit code other than 0, and the log says so
      And media-service logged "giving up on the STS" about it 1 times or more
