@019 @P1 @edge-case
Feature: When something goes wrong, viewers get what can be had, and the reason is told
  One thing is broken for one stream. What can be dubbed is dubbed, what cannot keeps its original sound, and where no
  output is possible the log says why and the suite does not stay green.

  @019-E1
  Scenario: The STS cannot be reached
    Given all services are running
    And the STS cannot be reached for this stream
    When a short broadcast is dubbed
    Then media-service tried at least 3 times to connect
    And it waited longer before each further try
    And every segment was played with its original audio
    And the sound of the output is the original
    And judging its connection to the STS fails with "was not connected to the STS"

  @019-E4
  Scenario: The publisher is cut off in the middle of the broadcast
    Given all services are running
    And the STS takes 3 seconds longer for each answer
    When a short broadcast is dubbed whose publisher is cut off after 9 seconds
    Then a fragment was in flight when the publisher was cut off
    And the STS answered every fragment that media-service sent
    And no segment was played with its original audio
    And the output lasts 9 seconds, give or take 1 second
    And in every segment the dub plays less than 120 ms from its pictures
    And the output decodes to its end without an error
    And the media server lists neither the broadcast nor its output any more

  @019-US1-4
  Scenario: The sound track begins later than the pictures
    Given all services are running
    When a broadcast whose sound begins late is dubbed
    Then every processed fragment has dubbed audio, a transcript and a translation
    And in every segment the dub plays less than 120 ms from its pictures

  @019-E7 @own-services
  Scenario: Both compose files declare a network of the same name
    Given a second set of services whose compose files declare a network of the same name
    When every service of that set is started and asked for its health
    Then every service answers with status 200 within 5 seconds
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
      And a short broadcast is on the air whose answers take 31 seconds longer

    @019-E2
    Scenario: A broadcast without a sound track cannot be dubbed
      When a broadcast without a sound track is dubbed
      Then media-service logged an error about it: "audio track required for dubbing"
      And nothing was published as its output
      And judging its output fails with "no recording of the output"

    @019-E6
    Scenario: The media server refuses the output
      When a short broadcast is dubbed whose output the media server refuses
      Then media-service logged an error about it: "RTMP publishing"
      And nothing was published as its output
      And judging its output fails with "no recording of the output"

    @019-US3-3
    Scenario: Silence stays silence through the whole pipeline
      When a silent broadcast is dubbed
      Then every processed fragment reports success and no error
      And no fragment has a transcript of more than 1 word
      And no segment was played with its original audio
      And the output lasts 12 seconds, give or take 2 seconds
      And the output has at most 0.5 seconds of sound

    @019-E3
    Scenario: An answer takes more than 30 seconds
      When that broadcast has been dubbed to its end
      Then no answer came within 30 seconds
      And every segment was played with its original audio
      And media-service logged a warning about it: "original audio"
      And the output lasts 12 seconds, give or take 2 seconds
      And the sound of the output is the original
