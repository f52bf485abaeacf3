import { Then } from '@cucumber/cucumber';

import { avDrift } from '../support/checks/av-drift';
import { avOffset, measuredOffset } from '../support/checks/av-sync';
import { dubs } from '../support/checks/dub';
import { dubDamage } from '../support/checks/dub-damage';
import { dubLoudness } from '../support/checks/dub-loudness';
import { dubSpeed } from '../support/checks/dub-speed';
import { audio, splices } from '../support/checks/output-audio';
import { channels } from '../support/checks/output-channels';
import { decoding, timestamps, tracks } from '../support/checks/output-file';
import { frames } from '../support/checks/output-frames';
import { decodedVideo, duration } from '../support/checks/output-length';
import { programme } from '../support/checks/programme';
import { processedSegments } from '../support/checks/metrics';
import {
  fingerprint,
  original,
  outputIsOriginal,
  SAME_AUDIO,
} from '../support/checks/output-original';
import { outputBegins, outputEnds } from '../support/checks/output-start';
import { language, originalUnderstood, spoken } from '../support/checks/speech';
import { videoFormat } from '../support/checks/video-format';
import { transcripts, translations } from '../support/checks/texts';
import { liveViewer, outputAvailable } from '../support/checks/timing';
import { planMeasured } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

// For these the output is listened to.
planMeasured(originalUnderstood, 'no English is spoken in the output');
planMeasured(
  language,
  'Spanish is heard in the output, with a probability of at least {int} % in every 30 seconds, and in no segment English',
);
planMeasured(
  spoken,
  'what is heard in every segment of the output is its translation, with a word error rate of at most {int} % each and {int} % on average',
);

/** Frames that a second reader of the output decoded while it was published. */
Then(
  'a viewer who joined live saw at least {duration} of it',
  async function (this: DubbingWorld, leastMs: number) {
    await this.judge(liveViewer, { leastMs });
  },
);

/** The tracks of the recording. */
Then(
  'the output has one H.264 video track and one AAC audio track',
  async function (this: DubbingWorld) {
    await this.judge(tracks, { video: 'h264', audio: 'aac' });
  },
);

/** The frame numbers in the decoded video, and the audio of the first fragment, in the source and in the output. */
Then(
  'the output begins at most {duration} into the broadcast',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(outputBegins, { withinSeconds: withinMs / 1000 });
  },
);

/** The last frame that is shown, and where the audio ends. */
Then(
  'the output ends at most {duration} before the broadcast does',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(outputEnds, { withinSeconds: withinMs / 1000 });
  },
);

/** The packets of video, of audio, and of both together. */
Then(
  'the output lasts {duration} ± {duration}',
  async function (this: DubbingWorld, wantedMs: number, toleranceMs: number) {
    const limit = { seconds: wantedMs / 1000, toleranceSeconds: toleranceMs / 1000 };
    await this.judge(duration, limit);
  },
);

/** The packets of video, of audio, and of both together. */
Then(
  'the output lasts between {int} and {int} seconds',
  async function (this: DubbingWorld, fromSeconds: number, toSeconds: number) {
    await this.judge(duration, { fromSeconds, toSeconds });
  },
);

/** Every error that demuxer and decoders report for the recording. */
Then('the output decodes to its end without an error', async function (this: DubbingWorld) {
  await this.judge(decoding, decoding.defaultLimit);
});

/** Decoded frames, at the frame rate of the broadcast. */
Then(
  'at least {int} seconds of video are decoded',
  async function (this: DubbingWorld, leastSeconds: number) {
    await this.judge(decodedVideo, { leastSeconds });
  },
);

/** By how much the counter of media-service rose during the broadcast. */
Then(
  'media-service counts {int} processed audio segments',
  async function (this: DubbingWorld, count: number) {
    await this.judge(processedSegments, count);
  },
);

/** Where each dub is found in the recording, against the frame that is shown then; audio minus video. */
Then(
  'the {av} offset of every segment is less than {duration}',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(avOffset, { limitMs });
  },
);

/** The least-squares line through the A/V offsets of all fragments, from the first to the last. */
Then(
  'the {av} drift over the broadcast is at most {duration}',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(avDrift, { limitMs });
  },
);

/** media-service's own metric, of whatever kind it is. */
Then(
  'media-service measures an {av} delta of less than {duration} for every segment',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(measuredOffset, { limitMs, ifAvailable: false });
  },
);

/** As above; a system that exports no such metric does not show it. */
Then(
  'media-service measures an {av} delta of less than {duration} for every segment, if it says so',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(measuredOffset, { limitMs, ifAvailable: true });
  },
);

/** Chromaprint fingerprints of output and source, of the whole and of each segment. */
Then('the audio of the output is not the original', async function (this: DubbingWorld) {
  await this.judge(fingerprint, fingerprint.defaultLimit);
});

/** Chromaprint fingerprints of output and source. */
Then('the audio of the output is the original', async function (this: DubbingWorld) {
  await this.judge(outputIsOriginal, SAME_AUDIO);
});

/** From the first answer of the STS to the first poll in which the media server lists the output as ready. */
Then(
  'the output is available within {duration} of the first answer',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(outputAvailable, { withinMs });
  },
);

/** Where each dub is found in the recording, and how much of it. */
Then('every dub is heard once, whole, with its own video', async function (this: DubbingWorld) {
  await this.judge(dubs, dubs.defaultLimit);
});

/** What is heard at the place of each dub, with the dub taken out of it: dropouts, clicks, clipping, noise. */
Then('every dub is heard as the STS returned it', async function (this: DubbingWorld) {
  await this.judge(dubDamage, dubDamage.defaultLimit);
});

/** Where a dub is heard faster or slower: resampled, or in pieces that are moved. */
Then(
  'every dub is heard at the speed at which the STS returned it',
  async function (this: DubbingWorld) {
    await this.judge(dubSpeed, dubSpeed.defaultLimit);
  },
);

/** RMS level of each dub against that of the original's speech in the same segment. */
Then(
  'no dub is more than {int} dB louder or softer than the original was',
  async function (this: DubbingWorld, withinDb: number) {
    await this.judge(dubLoudness, { withinDb });
  },
);

/** The level of each channel, second by second, and what two of them have in common. */
Then('the audio is heard in every channel', async function (this: DubbingWorld) {
  await this.judge(channels, channels.defaultLimit);
});

/** Integrated loudness (EBU R 128). */
Then('the output has audio', async function (this: DubbingWorld) {
  await this.judge(audio, audio.defaultLimit);
});

/** Correlation of what is left of the output without the dub with the original audio. */
Then('the original audio is not heard', async function (this: DubbingWorld) {
  await this.judge(original, original.defaultLimit);
});

/** What an English speech recognizer understands, against the lines of the script. */
Then('no English is spoken in the output', async function (this: DubbingWorld) {
  await this.judge(originalUnderstood, originalUnderstood.defaultLimit);
});

/** What a multilingual speech recognizer (Whisper) itself takes for the language, by segments and by the 30 s around them. */
Then(
  'Spanish is heard in the output, with a probability of at least {int} % in every 30 seconds, and in no segment English',
  async function (this: DubbingWorld, percent: number) {
    await this.judge(language, { language: 'es', other: 'en', probability: percent / 100 });
  },
);

/** What somebody hears in the recording who speaks the target language (Whisper), against `translated_text`. */
Then(
  'what is heard in every segment of the output is its translation, with a word error rate of at most {int} % each and {int} % on average',
  async function (this: DubbingWorld, each: number, average: number) {
    await this.judge(spoken, { wordErrorRate: each / 100, meanAtMost: average / 100 });
  },
);

/** The frame numbers in the decoded video. */
Then('every frame of the broadcast is shown once, in order', async function (this: DubbingWorld) {
  await this.judge(frames, frames.defaultLimit);
});

/** What is seen in each frame of the recording, against its own of the broadcast: structure, levels, colours, detail. */
Then('the video shows what the broadcast shows', async function (this: DubbingWorld) {
  await this.judge(programme, programme.defaultLimit);
});

/** Size, aspect ratio, rotation, borders and pixels of the decoded frames, against those of the broadcast. */
Then(
  'its frames keep one size and the shape of the broadcast',
  async function (this: DubbingWorld) {
    await this.judge(videoFormat, videoFormat.defaultLimit);
  },
);

/** PTS and DTS of all packets. */
Then('the timestamps of the output have no gap', async function (this: DubbingWorld) {
  await this.judge(timestamps, timestamps.defaultLimit);
});

/** Clicks, repetitions and jumps of the loudness where the video of two segments meets. */
Then('no splice is heard where segments meet', async function (this: DubbingWorld) {
  await this.judge(splices, splices.defaultLimit);
});

/** Word error rate against the script; chrF2 against the reference translation, and words that were left as they were. */
Then(
  'the transcripts match the script, and the translations its meaning',
  async function (this: DubbingWorld) {
    await this.judge(transcripts, transcripts.defaultLimit);
    await this.judge(translations, translations.defaultLimit);
  },
);
