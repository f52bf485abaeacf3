@019 @P1 @edge-case
Feature: When something goes wrong, viewers get what can be had, and the reason is reported
  One thing is broken for one stream. What can be dubbed is dubbed, what cannot keeps its original audio, and where no
  output is possible the log says why and the suite does not stay green.

  @019-E1
  Scenario: The STS is unreachable
    Given all services are running
    And the STS is unreachable for this stream
    When the short broadcast is dubbed
    Then media-service attempts to connect at least 3 times
    And it waits longer before each further attempt
    And media-service counts a fallback to the original audio for every segment
    And the audio of the output is the original
    And judging its connection to the STS fails with "was not connected to the STS"

  @019-E4
  Scenario: The publisher disconnects in the middle of the broadcast
    Given all services are running
    And every answer of the STS is delayed by 3 seconds
    When the short broadcast is dubbed and its publisher disconnects after 9 seconds
    Then a fragment was in flight when the publisher disconnected
    And the STS answers every fragment that media-service sends
    And media-service counts no fallback to the original audio
    And the output lasts 9 seconds ± 1 second
    And the A/V offset of every segment is less than 120 ms
    And the output decodes to its end without an error
    And the media server no longer lists the broadcast or its output

  @019-US1-4
  Scenario: The audio track begins later than the video
    Given all services are running
    When the late-audio broadcast is dubbed
    Then every processed fragment has dubbed audio, a transcript and a translation
    And the A/V offset of every segment is less than 120 ms

  @019-E7 @own-services
  Scenario: Both compose files declare a network of the same name
    Given a second set of services whose compose files declare a network of the same name
    When every service of that set is started and asked for its health
    Then every service answers with status 200 within 5 seconds
    And each composition has a network of its own of that name, with all its services
    And media-service of that set reaches the STS of that set

  @019-E8
  Scenario: The file of the counting broadcast is missing
    When the suite is run with a counting broadcast that does not exist
    Then the scenario "The broadcast is active in the media server at once" fails, naming that file
    And every scenario that needs the broadcast is skipped, naming that file
    And the suite reports failure

  Rule: While one stream waits for the STS, others go on

    Background:
      Given all services are running
      And the short broadcast is being dubbed with every answer delayed by 31 seconds

    @019-E2
    Scenario: A broadcast without an audio track cannot be dubbed
      When the video-only broadcast is dubbed
      Then media-service logs an error about it: "audio track required for dubbing"
      And no output is published
      And judging its output fails with "no recording of the output"

    @019-E6
    Scenario: The media server refuses the output
      When the short broadcast is dubbed and the media server refuses its output
      Then media-service logs an error about it
      And no output is published
      And judging its output fails with "no recording of the output"

    @019-US3-3
    Scenario: Silence stays silence through the whole pipeline
      When the silent broadcast is dubbed
      Then every processed fragment reports success and no error
      And no transcript has more than 1 word
      And media-service counts no fallback to the original audio
      And the output lasts 12 seconds ± 2 seconds
      And the output has at most 0.5 seconds of audible audio

    @019-E3
    Scenario: An answer takes more than 30 seconds
      When the broadcast with the delayed answers has been dubbed to its end
      Then no answer arrives within 30 seconds
      And media-service counts a fallback to the original audio for every segment
      And media-service logs a warning about it
      And the output lasts 12 seconds ± 2 seconds
      And the audio of the output is the original
