import { Given, Then, When } from '@cucumber/cucumber';

import type { Fault } from '../support/broadcast/faults';
import { fixtureNames } from '../support/parameter-types';
import { plannedScenarios, plannedSteps } from '../support/session/planned-scenarios';
import type { DubbingWorld } from '../support/world';
import {
  broadcastsOf,
  dubbed,
  DUBBED,
  lost,
  LOST,
  notReached,
  NOT_REACHED,
  slow,
  SLOW,
  slowlyDubbed,
  SLOWLY_DUBBED,
} from './dubbed';
import { expectThat, observed } from './expect';
import { checkBudget } from './judgements';

/**
 * Something goes wrong between media-service and the STS. All broadcasts of this run with which anything is wrong go on
 * the air now: they wait at the same time.
 */
function plan(world: DubbingWorld, fault: Fault): void {
  world.plan = [fault];
  world.session.startTogether(plannedScenarios('@edge-case').flatMap(broadcastsOf));
}

Given(NOT_REACHED, function (this: DubbingWorld) {
  plan(this, notReached());
});

Given(LOST, function (this: DubbingWorld, sent: string) {
  plan(this, lost([sent]));
});

Given(SLOW, function (this: DubbingWorld, seconds: string) {
  plan(this, slow([seconds]));
});

/** Broadcasts that many scenarios look at; those that are going to be asked for are on the air at the same time. */
const SHARED = {
  'the one-minute broadcast is dubbed': {},
  'the counting broadcast is dubbed': { name: fixtureNames['counting broadcast'] },
};

When(DUBBED, async function (this: DubbingWorld, which: string, how: string) {
  const texts = new Set(plannedSteps().map(({ text }) => text));
  const shared = Object.entries(SHARED).filter(([text]) => texts.has(text));
  this.session.startTogether(shared.map(([, options]) => options));
  this.broadcast.value = await this.session.broadcast({
    ...dubbed([which, how], this.plan),
    ...(this.echo ? { echo: this.echo } : {}),
  });
});

Given(SLOWLY_DUBBED, function (this: DubbingWorld, which: string, seconds: string) {
  this.onAir.value = this.session.broadcast(slowlyDubbed([which, seconds]));
});

When('that broadcast has been dubbed to its end', async function (this: DubbingWorld) {
  this.broadcast.value = await this.onAir.value;
});

Then(
  'the broadcast was listed as ready within {duration} of being published',
  function (this: DubbingWorld, withinMs: number) {
    const run = this.broadcast.value;
    const { seconds } = observed(
      `live/${run.stream}/in`,
      'the published broadcast',
      run.secondsBetween('published', 'inputReady'),
    );
    this.log(`ready after ${seconds} s`);
    expectThat(seconds * 1000 <= withinMs, {
      what: 'the broadcast was listed too late',
      where: `MediaMTX, live/${run.stream}/in`,
      seen: `${seconds} s`,
      expected: `at most ${withinMs / 1000} s`,
    });
  },
);

Then(
  'the metrics of its worker appeared within {duration} of the stream being active',
  function (this: DubbingWorld, withinMs: number) {
    const run = this.broadcast.value;
    const { seconds } = observed(
      'metrics of media-service',
      `metrics of stream ${run.stream}`,
      run.secondsBetween('inputReady', 'metricsSeen'),
    );
    this.log(`metrics after ${seconds} s`);
    expectThat(seconds * 1000 <= withinMs, {
      what: 'the metrics appeared too late',
      where: `metrics of media-service, stream ${run.stream}`,
      seen: `${seconds} s`,
      expected: `at most ${withinMs / 1000} s`,
    });
  },
);

Then(
  'the broadcast was dubbed to its end within {duration}',
  function (this: DubbingWorld, withinMs: number) {
    checkBudget(this.broadcast.value, withinMs / 1000);
  },
);

Then('the published file is the one that was inspected', function (this: DubbingWorld) {
  const { fixtureFile } = this.broadcast.value.evidence.run;
  const { path } = this.session.fixture();
  expectThat(fixtureFile === path, {
    what: 'another file was published',
    where: `live/${this.broadcast.value.stream}/in`,
    seen: fixtureFile,
    expected: path,
  });
});

Then('it was published once, to its end', function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const { publisher } = run.evidence.run;
  const { seconds } = observed(
    'publisher',
    'the end of the broadcast',
    run.secondsBetween('published', 'publisherEnded'),
  );
  // ffmpeg sends at the speed of the broadcast: less time means that not all was sent, more that it was sent again.
  const isWhole = publisher.exitCode === 0 && Math.abs(seconds - run.fixture.durationSeconds) < 3;
  expectThat(isWhole, {
    what: 'the broadcast was not published to its end, once',
    where: `live/${run.stream}/in`,
    seen: `exit code ${publisher.exitCode} after ${seconds} s: ${publisher.stderr || 'no message'}`,
    expected: `exit code 0 after ${run.fixture.durationSeconds} s, give or take 3 s`,
  });
});

Then(
  'the worker was reading the broadcast within {duration} of its being published',
  function (this: DubbingWorld, withinMs: number) {
    const run = this.broadcast.value;
    const where = `live/${run.stream}/in`;
    const ingest = run.secondsBetween('published', 'ingested');
    const { seconds } = observed(where, 'a reader of the broadcast', ingest);
    this.log(`read after ${seconds} s`);
    expectThat(seconds * 1000 <= withinMs, {
      what: 'the worker took up the broadcast too late',
      where,
      seen: `${seconds} s`,
      expected: `at most ${withinMs / 1000} s`,
    });
  },
);

Then(
  /^the media server saw the (broadcast read|output published) by (RTSP|RTMP)$/,
  function (this: DubbingWorld, what: string, protocol: string) {
    const run = this.broadcast.value;
    const path = `live/${run.stream}/${what === 'broadcast read' ? 'in' : 'out'}`;
    const looks = run.evidence.mediamtx.flatMap(({ paths }) => paths);
    const ours = looks.filter(({ name }) => name === path);
    const kinds = new Set(
      ours.flatMap(({ readers, source = 'nobody' }) =>
        what === 'broadcast read' ? readers : [source],
      ),
    );
    this.log([...kinds].join(', '));
    expectThat(
      [...kinds].some((kind) => kind.startsWith(protocol.toLowerCase())),
      {
        what: `the ${what} by ${protocol} was not seen`,
        where: path,
        seen: `${ours.length} looks, ${[...kinds].join(', ') || 'no connection'}`,
        expected: `a connection by ${protocol}`,
      },
    );
  },
);

Then(
  'the media server lists neither the broadcast nor its output any more',
  async function (this: DubbingWorld) {
    const { stream } = this.broadcast.value;
    const { api, settings } = await this.session.services();
    const left = (await api.paths()).filter(({ name }) => name.includes(stream));
    expectThat(left.length === 0, {
      what: 'paths of a broadcast that has ended are left',
      where: settings.services.mediaServer.api,
      seen: left.map(({ name }) => name).join(', '),
      expected: 'none',
    });
  },
);

When(
  'the {broadcast} is dubbed twice at the same time',
  async function (this: DubbingWorld, name: string | undefined) {
    this.broadcasts.value = await Promise.all(
      [1, 2].map((use) => this.session.broadcast({ ...(name ? { name } : {}), use })),
    );
  },
);

Then('each was a stream of its own, with answers of its own', function (this: DubbingWorld) {
  const runs = this.broadcasts.value;
  const names = runs.map(({ stream }) => stream);
  const answered = runs.map(({ stream, answers, fixture }) => {
    const numbers = answers.map(({ data }) => data.sequence_number).join();
    const wanted = fixture.script.map((_, index) => index).join();
    const isOwn = answers.every(({ data }) => data.fragment_id.includes(stream));
    return { stream, numbers, isFine: isOwn && numbers === wanted };
  });
  expectThat(new Set(names).size === runs.length && answered.every(({ isFine }) => isFine), {
    what: "broadcasts got in each other's way",
    where: names.join(', '),
    seen: answered
      .map(({ stream, numbers }) => `${stream}: answers ${numbers || 'none'}`)
      .join('; '),
    expected: 'different streams, each with all its answers in order',
  });
});
