@019 @P1
Feature: The compositions reach each other
  The two compositions share no network. Everything goes through published ports, and the worker reaches the media server
  inside its own composition.

  @019-US2-1 @019-US7-1 @counting
  Scenario: media-service reaches the STS through its published port
    Given media-service is configured with the STS's published port
    When the counting broadcast is dubbed
    Then media-service connects through the STS's published port
    And the STS accepts the stream

  @019-US2-1 @021-US1-3 @own-services
  Scenario: media-service reaches the STS itself, with nothing between them
    Given a second set of services is running on other ports, with nothing between media-service and the STS
    When the short broadcast is dubbed
    Then media-service opens one connection to the STS for it, and closes it again
    And that connection leads through the published port of that STS
    And the STS accepts the stream
    And media-service counts 2 processed audio segments
    And media-service counts no fallback to the original audio
    And the output lasts 12 seconds ± 1 second
    And the audio of the output is not the original

  @019-US2-2
  Scenario: An outside client completes the Socket.IO handshake with the STS
    Given all services are running
    When a client on the test host connects to the STS by Socket.IO
    Then the handshake completes within 5 seconds

  @019-US2-3 @counting
  Scenario: The worker reads from and publishes to the media server
    Given all services are running
    When the counting broadcast is dubbed
    Then the media server receives the broadcast by RTSP, or by the protocol that is configured
    And the media server has the broadcast read by RTSP, or by the protocol that is configured
    And the media server has the output published by RTMP

  @019-US2-4
  Scenario: Every service reports its health quickly
    Given all services are running
    When the test host asks every service for its health
    Then every service answers with status 200 within 5 seconds

  @019-SC
  Scenario: Every service is healthy soon after its start
    When all services are started
    Then every service is healthy within 60 seconds of its start
