/** What becomes of each second and each segment of a broadcast of tones. */
import { Then } from '@cucumber/cucumber';

import {
  answersAreEchoes,
  segmentAudio,
  segmentAudioOverLoss,
  segmentFiles,
} from '../support/checks/segment-audio';
import { noWordsHeard, outputIsQuiet } from '../support/checks/segment-audio';
import { audioGoesOn, toneDrift, toneOffset } from '../support/checks/tones';
import { fragmentCount } from '../support/checks/upstream';
import { plan, planMeasured } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

// Of these the recording is decoded.
planMeasured(
  segmentAudio,
  'every segment plays its dub',
  'every segment plays the original audio',
  '{segments} play(s) the original audio, all the others their dub',
);
planMeasured(
  segmentAudioOverLoss,
  'the segments from {int} to the reconnection play the original audio, all the others their dub',
);
planMeasured(
  toneOffset,
  'the {av} offset of every tone after the first second is less than {duration}',
);

// -- audio and video

/** When each tone is heard against when its frame is shown; without the last second, in which a worker leaves. */
Then(
  'the {av} offset of every tone after the first second is less than {duration}',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(toneOffset, { limitMs });
  },
);

/** The least-squares line through the offsets of all tones. */
Then(
  'the {av} offset drifts by less than {duration} from the first tone to the last',
  async function (this: DubbingWorld, _av: string, limitMs: number) {
    await this.judge(toneDrift, { limitMs });
  },
);

/** The phase of the broadcast's pilot in the output, from one window of 12 ms to the next. */
Then(
  'the audio goes on without a jump or a gap of more than {duration}',
  async function (this: DubbingWorld, limitMs: number) {
    await this.judge(audioGoesOn, { limitMs });
  },
);

/** By the level of the tones: a dub is half as loud as the original. */
Then('every segment plays its dub', async function (this: DubbingWorld) {
  await this.judge(segmentAudio, { segments: [] });
});

/** By the level of the tones. */
Then('every segment plays the original audio', async function (this: DubbingWorld) {
  await this.judge(segmentAudio, { segments: 'all' });
});

/** By the level of the tones. */
Then(
  '{segments} play(s) the original audio, all the others their dub',
  async function (this: DubbingWorld, segments: number[]) {
    await this.judge(segmentAudio, { segments });
  },
);

/** By the level of the tones; the reconnection is at the first fragment on the second connection. */
Then(
  'the segments from {int} to the reconnection play the original audio, all the others their dub',
  async function (this: DubbingWorld, first: number) {
    await this.judge(segmentAudioOverLoss, { first });
  },
);

// -- segments and fragments

/** On the wire, over all connections. */
Then('media-service sends {int} fragments', async function (this: DubbingWorld, count: number) {
  await this.judge(fragmentCount, { count });
});

plan(
  '{int} segments are written to disk, each with {duration} ± {duration} of video and of audio',
  (draft) => draft.judges('segments'),
);
/** By the packets of the files that media-service has written. */
Then(
  '{int} segments are written to disk, each with {duration} ± {duration} of video and of audio',
  async function (this: DubbingWorld, count: number, eachMs: number, toleranceMs: number) {
    await this.judge(segmentFiles, { count, eachMs, toleranceMs });
  },
);

/** Byte by byte, on the wire. */
Then('every answer holds the very audio that was sent', async function (this: DubbingWorld) {
  await this.judge(answersAreEchoes, null);
});

// -- silence

/** Of the answers on the wire, of which there has to be one a segment. */
Then(
  'no transcript has more than {int} word(s)',
  async function (this: DubbingWorld, most: number) {
    await this.judge(noWordsHeard, { most });
  },
);

/** Windows of 20 ms of the recorded output that are louder than -50 dBFS, together. */
Then(
  'the output has at most {duration} of audible audio',
  async function (this: DubbingWorld, mostMs: number) {
    await this.judge(outputIsQuiet, { mostMs });
  },
);
