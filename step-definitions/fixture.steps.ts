import { Then, When } from '@cucumber/cucumber';

import { packetSpan, probeStreams } from '../support/analyze/media';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';

Then('the file of the {broadcast} exists', function (this: DubbingWorld, name: string | undefined) {
  // Throws, naming the file, when it does not.
  this.log(this.session.fixture(name).path);
});

When(
  'the file of the {broadcast} is inspected',
  async function (this: DubbingWorld, name: string | undefined) {
    const fixture = this.session.fixture(name);
    const [streams, span] = await Promise.all([
      probeStreams(fixture.path),
      packetSpan(fixture.path),
    ]);
    const { durationSeconds: seconds } = observed(fixture.path, 'a picture track', span.video);
    this.inspected.value = { fixture, streams, seconds };
  },
);

Then(
  'it lasts between {int} and {int} seconds',
  function (this: DubbingWorld, from: number, to: number) {
    const { fixture, seconds } = this.inspected.value;
    this.log(`${seconds} s`);
    expectThat(seconds >= from && seconds <= to, {
      what: 'the broadcast has another length',
      where: fixture.path,
      seen: `${seconds} s`,
      expected: `${from} s to ${to} s`,
    });
  },
);

Then('it has one H.264 picture track', function (this: DubbingWorld) {
  const { fixture, streams } = this.inspected.value;
  const video = streams.filter((stream) => stream.kind === 'video');
  expectThat(video.length === 1 && video[0]?.codec === 'h264', {
    what: 'the broadcast has other picture tracks',
    where: fixture.path,
    seen: video.map((stream) => stream.codec).join(', ') || 'none',
    expected: 'one, h264',
  });
});

Then('it has one AAC sound track of {float} kHz', function (this: DubbingWorld, kilohertz: number) {
  const { fixture, streams } = this.inspected.value;
  const audio = streams.filter((stream) => stream.kind === 'audio');
  const isRight = audio.length === 1 && audio[0]?.codec === 'aac';
  expectThat(isRight && audio[0]?.sampleRateHz === kilohertz * 1000, {
    what: 'the broadcast has other sound tracks',
    where: fixture.path,
    seen: audio.map((stream) => `${stream.codec} ${stream.sampleRateHz} Hz`).join(', ') || 'none',
    expected: `one, aac ${kilohertz * 1000} Hz`,
  });
});
