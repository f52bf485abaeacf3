@019 @P2 @own-services
Feature: Each composition stands by itself, and settings decide where
  Both can be started alone. Where they listen, and where they find each other, is set from outside: no compose file is
  edited.

  @019-US5-1
  Scenario: The media composition starts alone
    When the media composition is started alone, on other ports
    Then media-service answers with status 200
    And the RTSP and RTMP ports of the media server are open
    And nothing listens on the port of the STS

  @019-US5-2
  Scenario: The STS composition starts alone
    When the STS composition is started alone, on other ports
    Then the STS answers with status 200
    And a client on the test host completes the Socket.IO handshake with it

  @019-US5-4
  Scenario: media-service works with the Echo STS while the STS composition is down
    Given media-service of the media composition is running with the Echo STS, on other ports
    When the short broadcast is dubbed
    Then nothing listens on the port of the STS
    And 2 processed fragments are received
    And every processed fragment reports success and no error
    And every fragment's dubbed audio is the original audio
    And media-service counts no fallback to the original audio
    And the output lasts 12 seconds ± 1 second

  @019-US5-3 @019-US7-2 @019-US7-3 @019-US7-4
  Scenario: Both are coordinated by environment variables
    Given a second set of services is running on other ports
    When every service of that set is asked for its health
    Then every service answers with status 200 within 5 seconds
    And every published port can be set by a variable, and is open
