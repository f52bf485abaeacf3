import { Then, When } from '@cucumber/cucumber';

import { disagreeing } from '../support/analyze/metrics-against-tap';
import type { BroadcastFindings } from '../support/analyze/broadcast-findings';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { findingsOf } from './resilience';

Then(
  'meanwhile, {int} or more other broadcasts were on the air for which something went wrong',
  async function (this: DubbingWorld, least: number) {
    const run = this.broadcast.value;
    const from = run.evidence.run.times.published ?? 0;
    const until = run.evidence.run.times.publisherEnded ?? 0;
    this.broadcasts.value = await this.session.echoBroadcasts();
    const others = this.broadcasts.value.filter(({ evidence }) => {
      const { times, plan } = evidence.run;
      return (
        plan.words.length > 0 &&
        (times.published ?? Infinity) < until &&
        (times.publisherEnded ?? Infinity) > from
      );
    });
    this.log(others.map(({ evidence }) => evidence.run.plan.words.join('; ')).join('\n'));
    expectThat(others.length >= least, {
      what: 'too few broadcasts with faults were on the air',
      where: `while stream ${run.stream} was`,
      seen: String(others.length),
      expected: `${least} or more`,
    });
  },
);

When('all broadcasts through the Echo STS have been dubbed', async function (this: DubbingWorld) {
  this.broadcasts.value = await this.session.echoBroadcasts();
});

Then(
  'each metric of each of them is what was seen from outside',
  async function (this: DubbingWorld) {
    const wrong: string[] = [];
    let compared = 0;
    for (const run of this.broadcasts.value.filter(({ sent }) => sent.length > 0)) {
      const lines = (await findingsOf(this, run)).metricLines;
      compared += lines.length;
      for (const { metric, seen, expected } of disagreeing(lines)) {
        wrong.push(`${run.stream} ${metric}: ${seen ?? 'missing'}, seen from outside ${expected}`);
      }
    }
    this.log(`${compared} figures compared`);
    expectThat(compared > 0 && wrong.length === 0, {
      what: 'metrics do not say what was seen between the services',
      where: 'metrics of media-service',
      seen: `${compared} figures compared; ${wrong.join('; ') || 'all agree'}`,
      expected: 'the same',
    });
  },
);

/** The output of a worker ends at least that long after its broadcast: a segment is dubbed when all of it is there. */
const OUTPUT_LAGS_MS = 1000;

Then('each segment of each of them counts as what was heard', async function (this: DubbingWorld) {
  const { audioFragments } = (await this.session.settings()).metrics;
  const wrong: string[] = [];
  let compared = 0;
  for (const run of this.broadcasts.value.filter(canBeTold)) {
    // A worker that gave up before the broadcast was over has played a part of its last segment.
    const { outputEnded = NaN, publisherEnded = NaN } = run.evidence.run.times;
    if (outputEnded - publisherEnded < OUTPUT_LAGS_MS) continue;
    const found = await (await findingsOf(this, run)).segmentAudio();
    const { segments: sounds } = observed(run.outputFile, 'what is heard in each segment', found);
    for (const [status, sound] of [
      ['processed', 'echo'],
      ['fallback', 'original'],
    ] as const) {
      const counted = observed(
        run.stream,
        audioFragments,
        run.counter(audioFragments, { status }),
      ).delta;
      const heard = sounds.filter((one) => one === sound).length;
      compared += 1;
      if (counted !== heard) wrong.push(`${run.stream} ${status}: ${counted}, heard ${heard}`);
    }
  }
  this.log(`${compared} figures compared`);
  expectThat(compared > 0 && wrong.length === 0, {
    what: 'metrics count other segments than are heard',
    where: audioFragments,
    seen: `${compared} figures compared; ${wrong.join('; ') || 'all agree'}`,
    expected: 'as many processed as echoes are heard, as many fallbacks as originals',
  });
});

/** Only where every echo is softer can it be told from the original. */
function canBeTold({ evidence }: BroadcastFindings): boolean {
  return evidence.run.plan.words.includes('every fragment: the dub is half as loud');
}

const KINDS = {
  counter: [
    'segmentsProcessed',
    'audioFragments',
    'fallbacks',
    'backpressureEvents',
    'reconnections',
  ],
  gauge: ['inflight', 'breakerState'],
  histogram: ['avSyncDelta', 'stsProcessingTime'],
} as const;

Then('every metric is there, of the right kind', async function (this: DubbingWorld) {
  const { metrics } = await this.session.settings();
  const runs = this.broadcasts.value;
  const wrong = runs.flatMap(({ stream, evidence }) => {
    const types = evidence.metrics.at(-1)?.types ?? {};
    return Object.entries(KINDS).flatMap(([kind, keys]) =>
      keys.flatMap((key) => {
        const name = metrics[key];
        // In the older text format a counter's family has the name of its series, in OpenMetrics not.
        const seen = types[name] ?? types[name.replace(/_total$/, '')];
        return seen === kind ? [] : [`${stream} ${name}: ${seen ?? 'not there'}, expected ${kind}`];
      }),
    );
  });
  expectThat(runs.length > 0 && wrong.length === 0, {
    what: 'metrics are missing or of another kind',
    where: 'metrics of media-service',
    seen: wrong.join('; ') || 'no broadcast was seen',
    expected: JSON.stringify(KINDS),
  });
});
