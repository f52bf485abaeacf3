/** What ffmpeg has to be told so that it reports what a file is, and nothing of its own making. */

/**
 * Of an output of decoded frames: each frame once, at its own time. In the time base of the frame rate that ffmpeg guesses, frames
 * of a variable rate, of Matroska (1 ms) or of a rate that is too low have one timestamp; its muxer then reports
 * "non monotonically increasing dts" of a file in which nothing is wrong. 90 kHz is that of MPEG-TS and RTP.
 */
export const FRAMES_AS_THEY_COME = [
  ...['-fps_mode', 'passthrough'],
  ...['-enc_time_base:v', '1/90000'],
] as const;
