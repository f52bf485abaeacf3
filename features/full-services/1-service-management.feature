@021 @P1
Feature: Starting and stopping the dubbing services
  A release engineer starts the two compositions, media and STS, with one call. Nothing can be said about dubbing
  before both are healthy, and nothing may be left on the machine afterwards.

  @021-US1-1 @021-E6 @judges-compose-files
  Scenario: Both compose files are there and valid
    Given the media and the STS compose files
    When they are read and checked
    Then the media composition has the media server and media-service
    And the STS composition has the STS

  @021-US1-1 @judges-services
  Scenario: The STS composition starts first, then the media composition
    Given the media and the STS compose files
    When all services are started
    Then the STS composition is healthy before the media composition starts
    And each composition is healthy within 60 seconds

  @021-US1-2
  Scenario: Both services report that they are healthy
    Given all services are running
    When the test host asks media-service and the STS for their health
    Then media-service answers with status 200
    And the STS answers with status 200

  @021-US1-3 @broadcast
  Scenario: media-service reaches the STS through its published port
    Given media-service is configured with the STS's published port
    When the one-minute broadcast is dubbed
    Then media-service connects through the STS's published port
    And the STS accepts the stream

  @021-FR-004
  Scenario: The ports that are open on the test host serve what they are for
    Given all services are running
    When the test host connects to every port that it needs
    Then the media server completes the RTMP handshake
    And the media server serves the page by which viewers watch in a browser
    And media-service answers with status 200
    And the STS answers with status 200

  @021-US1-4
  Scenario: Nothing is left of services that are stopped
    Given a second set of services is running on other ports
    When its services are stopped
    Then no process, container, network or volume of them is left
    And its ports are free again

  @021-US1-4 @own-services
  Scenario Outline: Everything is gone after a test, and its logs are there if it failed: <test> test
    When the suite is run on other ports, with one scenario that <ends>
    Then the scenario "Metrics and health can be read from the test host" <ends>
    And no process, container, network, volume or temporary file of that run is left
    And its ports are free again
    And the logs of its services are <logs>

    Examples:
      | test       | ends   | logs          |
      | successful | passes | not collected |
      | failed     | fails  | collected     |
