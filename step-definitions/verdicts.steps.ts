/** Verdicts on broadcasts of which something was made impossible: they have to fail, saying what is wrong. */
import { Then } from '@cucumber/cucumber';

import { connection } from '../support/checks/connection';
import { type Criterion, judge } from '../support/checks/criterion';
import { answered } from '../support/checks/exchange';
import { duration } from '../support/checks/output-length';
import { budget } from '../support/checks/timing';
import { verdictFails } from '../support/checks/suite-run';
import type { DubbingWorld } from '../support/world';

type Broadcast = DubbingWorld['analyzer']['value'];

/** Judges the broadcast by a criterion, and then what that has said. */
async function judgeFailure<Measured, Limit>(
  world: DubbingWorld,
  criterion: Criterion<Broadcast, Measured, Limit>,
  limit: Limit,
  text: string,
): Promise<void> {
  const broadcast = world.analyzer.value;
  const verdict = await judge(criterion, broadcast, limit);
  await world.judgeOf(verdictFails, { stream: broadcast.stream, verdict }, { text });
}

/** Within the 5 s in which it has to be connected (spec 021). */
Then(
  'judging its connection to the STS fails with {string}',
  async function (this: DubbingWorld, text: string) {
    await judgeFailure(this, connection, { withinMs: 5000 }, text);
  },
);

/** An answer to every fragment. */
Then(
  'judging the answers to its fragments fails with {string}',
  async function (this: DubbingWorld, text: string) {
    await judgeFailure(this, answered, null, text);
  },
);

/** An output of any length up to that of the broadcast and a second. */
Then('judging its output fails with {string}', async function (this: DubbingWorld, text: string) {
  const toSeconds = this.analyzer.value.fixture.durationSeconds + 1;
  await judgeFailure(this, duration, { fromSeconds: 0, toSeconds }, text);
});

/** In the time that compressed time stands for. */
Then(
  'judging whether it is dubbed to its end within {duration} fails with {string}',
  async function (this: DubbingWorld, withinMs: number, text: string) {
    await judgeFailure(this, budget, { withinMs }, text);
  },
);
