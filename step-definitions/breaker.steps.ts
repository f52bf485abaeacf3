import { Then } from '@cucumber/cucumber';

import { type BreakerPhase, shownPhases } from '../support/analyze/breaker';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { AT_ONCE_MS, findingsOf } from './resilience';

function closedAfter({ at }: BreakerPhase, phases: BreakerPhase[]): BreakerPhase | undefined {
  return phases.find((phase) => phase.state === 'closed' && phase.at > at);
}

async function breakerOf(
  world: DubbingWorld,
): Promise<{ phases: BreakerPhase[]; where: string; phase: (state: string) => BreakerPhase }> {
  const found = await findingsOf(world);
  const phases = found.breaker;
  const where = `circuit breaker of stream ${found.run.stream}`;
  world.log(shownPhases(phases));
  return {
    phases,
    where,
    phase: (state) => {
      const [, ...later] = phases;
      const phase = later.find((one) => one.state === state);
      expectThat(phase !== undefined, {
        what: `the breaker was never ${state}`,
        where,
        seen: shownPhases(phases),
        expected: state,
        next: `read media-service.log in ${found.run.evidence.folder}`,
      });
      return phase as BreakerPhase;
    },
  };
}

Then(
  'the breaker opened after exactly {int} {word} errors in a row',
  async function (this: DubbingWorld, count: number, code: string) {
    const { phase, phases, where } = await breakerOf(this);
    const { failures, failedBefore, trigger } = phase('open');
    expectThat(failures === count && failedBefore === count && trigger.includes(code), {
      what: 'the breaker opened after other errors',
      where,
      seen: `the STS had given ${failedBefore} errors in a row; the log says ${failures}, ${trigger}: ${shownPhases(phases)}`,
      expected: `${count}, ${code}`,
    });
  },
);

Then(
  'the breaker opened after exactly {int} fragments in a row without an answer',
  async function (this: DubbingWorld, count: number) {
    const { phase, phases, where } = await breakerOf(this);
    const { failures, at } = phase('open');
    const { waits } = await findingsOf(this);
    const givenUp = waits.filter(
      ({ how, endedAt = Infinity }) => how === 'given up' && endedAt <= at + AT_ONCE_MS,
    );
    const answered = waits.filter(({ how }) => how === 'answered');
    expectThat(failures === count && givenUp.length === count && answered.length === 0, {
      what: 'the breaker opened after another number of time-outs',
      where,
      seen: `${givenUp.length} given up by then, ${answered.length} answered; the log says ${failures}: ${shownPhases(phases)}`,
      expected: `${count} given up, none answered`,
    });
  },
);

Then('the breaker never opened', async function (this: DubbingWorld) {
  const { phases, where } = await breakerOf(this);
  const { compared, contradictions } = (await findingsOf(this)).breakerByMetric;
  expectThat(phases.length === 1 && compared > 0 && contradictions.length === 0, {
    what: 'the breaker did not stay closed, or nobody looked',
    where,
    seen: `${shownPhases(phases)}; the metric, in ${compared} looks: ${contradictions.join('; ') || 'closed'}`,
    expected: 'closed, by the log and by the metric',
  });
});

Then('nothing was sent while the breaker was open', async function (this: DubbingWorld) {
  const { phase, where, phases } = await breakerOf(this);
  const open = phase('open');
  expectThat(open.sent === 0, {
    what: 'fragments were sent while the breaker was open',
    where,
    seen: `${open.sent}: ${shownPhases(phases)}`,
    expected: '0',
  });
});

Then(
  'the breaker was half-open {duration} after it had opened, give or take {duration}',
  async function (this: DubbingWorld, wantedMs: number, toleranceMs: number) {
    const { phase, where, phases } = await breakerOf(this);
    const tookMs = phase('half-open').at - phase('open').at;
    expectThat(Math.abs(tookMs - wantedMs) <= toleranceMs, {
      what: 'the breaker was open for another time',
      where,
      seen: `${tookMs} ms: ${shownPhases(phases)}`,
      expected: `${wantedMs} ms, give or take ${toleranceMs} ms`,
    });
  },
);

Then(
  'exactly {int} fragment was sent while it was half-open',
  async function (this: DubbingWorld, count: number) {
    const { phase, where, phases } = await breakerOf(this);
    const { sent } = phase('half-open');
    expectThat(sent === count, {
      what: 'another number of probes was sent',
      where,
      seen: `${sent}: ${shownPhases(phases)}`,
      expected: String(count),
    });
  },
);

Then('it closed when that fragment was answered', async function (this: DubbingWorld) {
  const { phase, where, phases } = await breakerOf(this);
  const halfOpen = phase('half-open');
  const { waits } = await findingsOf(this);
  const probe = waits.find(({ sentAt }) => sentAt >= halfOpen.at);
  const closed = closedAfter(halfOpen, phases);
  const answeredAt = probe?.how === 'answered' ? probe.endedAt : undefined;
  const tookMs = closed && answeredAt !== undefined ? closed.at - answeredAt : undefined;
  const after = tookMs === undefined ? 'not closed by it' : `closed ${tookMs} ms after its answer`;
  expectThat(tookMs !== undefined && Math.abs(tookMs) <= AT_ONCE_MS, {
    what: 'the breaker did not close with the answer to its probe',
    where,
    seen: `probe ${probe?.how ?? 'not sent'}; ${after}: ${shownPhases(phases)}`,
    expected: `closed within ${AT_ONCE_MS} ms of the answer`,
  });
});

Then(
  'fragments were sent and answered again after it had closed',
  async function (this: DubbingWorld) {
    const { phase, phases, where } = await breakerOf(this);
    const halfOpen = phase('half-open');
    const closed = closedAfter(halfOpen, phases);
    const { waits } = await findingsOf(this);
    const later = waits.filter(
      ({ sentAt, how }) => sentAt >= (closed?.at ?? Infinity) && how === 'answered',
    );
    expectThat(later.length > 0, {
      what: 'dubbing did not go on after the breaker had closed',
      where,
      seen: `${later.length} fragments answered: ${shownPhases(phases)}`,
      expected: 'at least 1',
    });
  },
);

Then('the metric of the breaker said the same all the time', async function (this: DubbingWorld) {
  const found = await findingsOf(this);
  const { compared, contradictions } = found.breakerByMetric;
  this.log(`${compared} looks`);
  expectThat(compared >= found.breaker.length && contradictions.length === 0, {
    what: 'the metric of the breaker says something else than the log, or was not seen often enough',
    where: `stream ${found.run.stream}`,
    seen: `${compared} looks; ${contradictions.join('; ') || 'no contradiction'}`,
    expected: `the same in at least ${found.breaker.length} looks`,
  });
});

Then('the breaker was open at the end', async function (this: DubbingWorld) {
  const { phases, where } = await breakerOf(this);
  expectThat(phases.at(-1)?.state === 'open', {
    what: 'the breaker was not open at the end',
    where,
    seen: shownPhases(phases),
    expected: 'open',
  });
});

Then(
  '{int} segment(s) count(s) as played with original audio because of {word}',
  async function (this: DubbingWorld, count: number, reason: string) {
    const run = this.broadcast.value;
    const { fallbacks: name } = (await this.session.settings()).metrics;
    const finding = run.counter(name, { reason });
    const { delta } = observed('metrics of media-service', `${name}{reason="${reason}"}`, finding);
    expectThat(delta === count, {
      what: 'the metrics count another number of fallbacks for that reason',
      where: `stream ${run.stream}, ${name}{reason="${reason}"}`,
      seen: String(delta),
      expected: String(count),
    });
  },
);
