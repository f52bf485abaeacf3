/** Whether an output begins and ends where its broadcast does. */
import { beyond } from '../analyze/finding';
import type { TrackSpan } from '../analyze/media';
import type { OutputEnd, OutputStart } from '../analyze/output-start';
import { allRight, observed } from './builders';
import { lostByReader, mayBeLost } from './lost-by-reader';
import { channels, isChannelLate } from './output-channels';
import { clockOf } from './output-clock';
import { EDGE_SECONDS, timestamps } from './output-file';
import { duration } from './output-length';
import { frames } from './output-frames';
import { outputCriterion, recordingOf } from './output-subject';

/**
 * Specs 018 and 019 let an output of 60 and 30 s be 0.5 s shorter; of the 1 s of spec 021, its two ends have half each. Less than
 * the 0.6 s in which nobody speaks at the start of a segment, so that no word is lost; more than the interval of key frames,
 * 0.2 s, which a reader loses that joins at once.
 */
export const outputBegins = outputCriterion('output-begins', {
  title: 'The output begins where the broadcast does',
  failure: 'the beginning of the broadcast is missing',
  needs: 'source',
  defaultLimit: { withinSeconds: 0.5 },
  measure: async (subject): Promise<OutputStart & { lostSeconds?: number }> => {
    const start = await subject.output.start();
    const file = recordingOf(subject);
    if (!start.observed) await clockOf(subject);
    return { ...observed(file, 'where it begins', start), ...(await lostByReader(subject)) };
  },
  assess: ({ video, audio, lostSeconds = 0 }, { withinSeconds }: { withinSeconds: number }) => {
    const tracks = Object.entries({ video, audio });
    const missing = tracks.flatMap(([kind, seconds]) =>
      seconds !== undefined && seconds > withinSeconds + ROUNDING_SECONDS
        ? [`the first ${beyond(seconds, withinSeconds, 2)} s of the ${kind}`]
        : [],
    );
    const seen = tracks.map(
      ([kind, seconds]) =>
        `${kind} from ${seconds === undefined ? 'an unknown second on' : `${seconds.toFixed(2)} s on`}`,
    );
    const expected = `both from at most ${withinSeconds} s on`;
    const isLost = [video, audio].every(
      (seconds = 0) => seconds <= withinSeconds + lostSeconds + ROUNDING_SECONDS,
    );
    if (missing.length > 0 && isLost) throw mayBeLost(seen.join(', '), lostSeconds, expected);
    return allRight(missing, seen.join(', '), expected);
  },
  explainedBy: [
    // What is heard at first is not told from the mix of two channels of which one is late.
    {
      criterion: channels,
      fits: async ({ video = 0 }, { withinSeconds }, subject) =>
        video <= withinSeconds && isChannelLate(subject),
    },
  ],
});

/** The same half of the tolerance as at the beginning. An encoder's last packets may be lost with its connection. */
export const outputEnds = outputCriterion('output-ends', {
  title: 'The output ends where the broadcast does',
  failure: 'the end of the broadcast is missing',
  needs: 'source',
  defaultLimit: { withinSeconds: 0.5 },
  measure: async (subject): Promise<OutputEnd> => {
    const end = await subject.output.end();
    if (!end.observed) await clockOf(subject);
    return observed(recordingOf(subject), 'where it ends', end);
  },
  assess: ({ video, audio }, { withinSeconds }: { withinSeconds: number }) => {
    const tracks = Object.entries({ video, audio });
    const missing = tracks.flatMap(([kind, seconds]) =>
      seconds !== undefined && seconds > withinSeconds + ROUNDING_SECONDS
        ? [`the last ${beyond(seconds, withinSeconds, 2)} s of the ${kind}`]
        : [],
    );
    const seen = tracks.map(([kind, seconds]) =>
      seconds === undefined
        ? `${kind}: cannot be told`
        : `${kind} without its last ${seconds.toFixed(2)} s`,
    );
    return allRight(missing, seen.join(', '), `at most ${withinSeconds} s of each are missing`);
  },
  // Frames of the end that are missing are lost frames as well; only of audio does nothing else tell.
  explainedBy: [
    { criterion: duration },
    {
      criterion: timestamps,
      fits: async (end, { withinSeconds }, { output }) => {
        const { video, audio } = await output.span();
        const gaps = [video, audio].flatMap((track) => (track.observed ? gapsAtEnd(track) : []));
        return [end.video, end.audio].every(
          (missing = 0) =>
            missing <= withinSeconds + ROUNDING_SECONDS ||
            gaps.some(({ least, most }) => missing >= least && missing <= most),
        );
      },
    },
    { criterion: frames },
  ],
});

/** A packet of video or audio, as one of both is the last before a gap. */
const PACKET_SECONDS = 0.05;

/**
 * What is missing at the end where timestamps have a gap in the last second, or up to it: as much as the gap is long, as what comes
 * after it is late; at most all from there on, as what needs lost packets cannot be decoded.
 */
function gapsAtEnd(track: TrackSpan): { least: number; most: number }[] {
  const end = track.firstPtsSeconds + track.durationSeconds;
  return track.gaps.flatMap(({ atSeconds, stepSeconds }) => {
    const length = stepSeconds - track.nominalStepSeconds;
    const most = end - atSeconds;
    const isAtEnd = most <= length + EDGE_SECONDS + PACKET_SECONDS;
    return isAtEnd ? [{ least: length - PACKET_SECONDS, most: most + PACKET_SECONDS }] : [];
  });
}

/** Frames are whole: 15 of 30 a second are half a second. */
const ROUNDING_SECONDS = 1e-6;
