@019 @P2 @own-services
Feature: Each composition stands by itself, and settings decide where
  Both can be started alone. Where they listen, and where they find each other, is set from outside: no compose file is
  edited.

  @019-US5-1
  Scenario: The media composition starts alone
    When the media composition is started alone, on other ports
    Then media-service answers with status 200
    And the ports of the media server for RTSP and RTMP are open
    And nothing listens where the STS would be

  @019-US5-2
  Scenario: The STS composition starts alone
    When the STS composition is started alone, on other ports
    Then the STS answers with status 200
    And a client on the test host completes the Socket.IO handshake with it

  @019-US5-4
  Scenario: media-service works with the Echo STS while the STS composition is down
    Given a media composition is running with the Echo STS in place of the STS composition
    When the short broadcast is dubbed
    Then 2 processed fragments were received
    And every processed fragment reports success and no error
    And the dubbed audio of every fragment is the original audio
    And no segment was played with its original audio
    And the output lasts 12 seconds, give or take 1 second

  @019-US5-3 @019-US7-2 @019-US7-3 @019-US7-4
  Scenario: Both are coordinated by environment variables
    Given a second set of services is running on other ports
    When every service of that set is asked for its health
    Then every service answers with status 200 within 5 seconds
    And every port that it publishes is one that a variable names, and is open
