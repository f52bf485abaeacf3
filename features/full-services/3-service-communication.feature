@021 @P1
Feature: Services talk to each other through published ports
  The two compositions do not share a network. media-service reaches the STS, and the test host reaches both, through
  ports that are published on the host.

  Background:
    Given all services are running

  @021-US3-1
  Scenario: The STS answers the test host
    When the test host asks the STS for its health
    Then the STS answers with status 200

  @021-US3-2 @broadcast
  Scenario: The connection between media-service and the STS is up quickly
    When the one-minute broadcast is dubbed
    Then media-service is connected to the STS within 5 seconds of starting to connect

  @021-US3-3 @broadcast
  Scenario: What media-service sends is received and processed
    When the one-minute broadcast is dubbed
    Then media-service sends 10 fragments
    And the STS receives every fragment that media-service sends
    And the STS answers every fragment that media-service sends
    And every processed fragment holds a dub as long as the fragment ± 10 %

  @021-US3-4
  Scenario: Metrics and health can be read from the test host
    When the test host asks for the metrics of media-service and the health of the STS
    Then media-service answers with metrics
    And the STS answers with status 200
