@021 @P1 @edge-case
Feature: When something is missing or broken, the suite reports it
  A suite that stays green when the pipeline is broken is worse than none. These scenarios break one thing each and
  expect a message that names it.

  @021-E1
  Scenario: The STS is unreachable
    Given all services are running
    And the STS is unreachable for this stream
    When the short broadcast is dubbed
    Then media-service attempts to connect at least 3 times
    And media-service counts a fallback to the original audio for every segment
    And the output lasts 12 seconds ± 1 second
    And judging its connection to the STS fails with "was not connected to the STS"

  @021-E1
  Scenario: The STS is lost while a fragment is in flight
    Given all services are running
    And the STS becomes unreachable once 1 fragment has been sent
    When the short broadcast is dubbed
    Then media-service attempts to reconnect at least 2 times
    And media-service counts a fallback to the original audio for every segment
    And the audio of the output is the original
    And judging the answers to its fragments fails with "not every fragment was answered"

  @021-E2
  Scenario: The broadcast file is missing
    When the suite is run with a broadcast file that does not exist
    Then the scenario "The broadcast file is there" fails, naming that file
    And every scenario that needs the broadcast is skipped, naming that file
    And the suite reports failure

  @021-E4
  Scenario: The media server is not running
    Given a media server that has been stopped
    When the one-minute broadcast is published to it
    Then publishing fails within 5 seconds
    And the message names the host and the port of the media server

  @021-E5 @019-E5 @needs-local-host
  Scenario Outline: The port of the <service> is taken
    When the suite is run while another program listens on the port of the <service>
    Then the scenario "The STS composition starts first, then the media composition" fails, naming the port and its holder
    And every scenario that needs the services is skipped, naming the port
    And the suite reports failure

    Examples:
      | service       |
      | media server  |
      | STS           |
      | media-service |

  @021-E5 @019-E5
  Scenario: The port of the STS is taken by another set of services
    Given a second set of services is running on other ports
    When the suite is run with the port of that set's STS
    Then the scenario "The STS composition starts first, then the media composition" fails, naming the port and its holder
    And every scenario that needs the services is skipped, naming the port
    And the suite reports failure

  @021-E6
  Scenario Outline: The compose file of the STS is faulty: <fault>
    When the suite is run with an STS compose file with this fault: "<fault>"
    Then the scenario "Both compose files are there and valid" fails, naming <place>
    And every scenario that needs the services is skipped, naming <place>
    And the suite reports failure

    Examples:
      | fault                      | place             |
      | missing                    | the file          |
      | malformed YAML             | the file and line |
      | unknown key                | the file and line |
      | neither image nor build    | the file and line |
      | the STS is not in it       | the file          |
      | the STS's port is not open | the file          |

  Rule: An STS that is too slow uses up the 300 seconds
    Time is compressed, three seconds to one: segments, broadcast, delays and the 300 seconds are a third of what the
    scenarios say, and every figure is judged, and shown, as the time that it stands for.

    Background:
      Given media-service is running with the Echo STS, which takes one fragment at a time, 3 times as fast as usual

    @021-E3
    Scenario: An STS that takes 30 seconds for each fragment is too slow
      Given the STS takes 30 seconds for each fragment
      When 60 seconds of the tone broadcast are dubbed
      Then no answer arrives within 15 seconds
      And judging whether it is dubbed to its end within 300 seconds fails with "the budget of 300 s was used up"
      And judging whether it is dubbed to its end within 300 seconds fails with "9 of 10 fragments answered"

    @021-E3
    Scenario: An STS that takes 12 seconds for each fragment is fast enough
      Given the STS takes 12 seconds for each fragment
      When 60 seconds of the tone broadcast are dubbed
      Then every fragment is answered within 15 seconds
      And the broadcast is dubbed to its end within 300 seconds
      And media-service counts no fallback to the original audio
