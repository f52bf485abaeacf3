@021 @P1 @live-encoded
Feature: A broadcast as an encoder sends it
  An encoder sends a key frame every two seconds and B-frames between them, and does not wait until somebody watches: what
  passes before the media server lists the stream, and from then on until the next key frame, no viewer gets. Its
  commentator talks through a loud stadium and does not wait for the marks of six seconds, where words are cut in two. All
  else holds as for any broadcast.

  Background:
    Given all services are running
    And an encoder publishes by RTMP, without a lead-in

  @021-LIVE-1
  Scenario: The output begins with a key frame and is complete from there on
    When the live-encoded broadcast is dubbed
    Then the media server receives the broadcast by RTMP
    And the output begins at most 4.5 seconds into the broadcast
    And the output lasts 56 seconds ± 1 second
    And the output has one H.264 video track and one AAC audio track
    And the output decodes to its end without an error
    And every frame of the broadcast is shown once, in order
    And the timestamps of the output have no gap

  @021-LIVE-2
  Scenario: Every segment is dubbed, in sync, also where words are cut
    When the live-encoded broadcast is dubbed
    Then 10 processed fragments are received
    And every processed fragment has dubbed audio, a transcript and a translation
    And media-service counts no fallback to the original audio
    And every dub is heard once, whole, with its own video
    And the A/V offset of every segment is less than 120 ms
    And the audio of the output is not the original
