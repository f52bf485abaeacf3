import { Given, Then, When } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { checkBudget } from './judgements';

Given('the STS cannot be reached for this stream', function (this: DubbingWorld) {
  this.plan = { unreachableAfterFragments: 0 };
});

Given(
  'the STS cannot be reached any more once {int} fragment has been sent',
  function (this: DubbingWorld, fragments: number) {
    this.plan = { unreachableAfterFragments: fragments };
  },
);

Given(
  'the STS takes {duration} longer for each answer',
  function (this: DubbingWorld, delayMs: number) {
    this.plan = { delayAnswersMs: delayMs };
  },
);

When(
  /^(?:the|a) (one-minute|short) broadcast is dubbed(?: with a budget of (\d+) seconds)?$/,
  async function (this: DubbingWorld, length: string, budgetSeconds: string | null) {
    this.broadcast.value = await this.session.broadcast({
      ...(length === 'short' ? { name: '12-s-nfl' } : {}),
      ...(this.plan ? { plan: this.plan } : {}),
      ...(budgetSeconds ? { budgetSeconds: Number(budgetSeconds) } : {}),
    });
  },
);

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
