import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { TapEvent } from '../../support/broadcast/events';
import type { BroadcastRecord } from '../../support/broadcast/record';
import { connection as connected } from '../../support/checks/connection';
import { type AnyCriterion, judge } from '../../support/checks/criterion';
import { completeAnswers, sequenceNumbers } from '../../support/checks/exchange';
import { quotedErrors } from '../../support/checks/quoted-errors';
import { translated } from '../../support/checks/texts';
import { answerCount, fragmentCount } from '../../support/checks/upstream';
import type { VerdictLine } from '../../support/checks/verdict-log';
import { causesOf, withCircumstances } from '../../support/report/causes';
import { endOfRun } from '../../support/report/end-of-run';
import { USUAL_POLICY } from '../../support/report/not-shown';
import type { ScenarioResult } from '../../support/report/scenario-results';
import { connection, event, STREAM } from '../broadcast/an-exchange';
import { aBroadcast } from './a-broadcast';

/** What scenarios ask of a broadcast of which nothing was dubbed. */
const ASKED: [string, AnyCriterion<BroadcastFindings>, unknown][] = [
  ['021-US3-2', connected, { withinMs: 5000 }],
  ['021-US3-3', fragmentCount, { count: 15 }],
  ['021-US2-3', answerCount, 15],
  ['021-US2-3 order', sequenceNumbers, { first: 0, last: 14 }],
  ['021-US2-4', completeAnswers, null],
  ['021-US4-3', translated, null],
];

const GONE: BroadcastRecord['outcome'] = { kind: 'worker gone', afterSeconds: 15 };

function refused(logText: string, record: Partial<BroadcastRecord> = {}, events: TapEvent[] = []) {
  return aBroadcast({ logText, events, record: { outcome: GONE, ...record } });
}

/** The first cause on the console of a run in which all of it fails. */
async function firstCause(broadcast: BroadcastFindings): Promise<string> {
  const lines = await Promise.all(
    ASKED.map(async ([name, one, limit]): Promise<VerdictLine> => ({
      ...{ stream: STREAM, scenario: { name, place: name } },
      verdict: await judge(one, broadcast, limit),
    })),
  );
  const results = ASKED.map(([name]): ScenarioResult => ({
    ...{ name, tags: [`@${name}`], place: name, feature: '', steps: [], message: '', judgedBy: [] },
    ...{ status: 'FAILED', skipReason: undefined, seconds: 1 },
  }));
  const causes = causesOf(lines, results).map((one) => withCircumstances(one, undefined));
  const text = endOfRun(results, {
    ...{ seconds: 1, problems: [], causes, pageOf: () => undefined, snippetOf: () => undefined },
    ...{ policy: USUAL_POLICY, paint: (_format, shown) => shown, link: (path) => path },
  });
  return text.split('\n').slice(1, 5).join('\n');
}

const inJson = (fields: object): string =>
  JSON.stringify({ timestamp: 1, level: 'ERROR', stream_id: STREAM, ...fields });

describe('a clip that the worker refuses', () => {
  const B_FRAMES = 'H.264 video without B-frames required';
  const logs: Record<string, string> = {
    'in its message': [
      inJson({ level: 'INFO', message: 'tracks placed' }),
      inJson({ message: `${B_FRAMES}: rtsp://127.0.0.1/live/x/in` }),
      inJson({ message: 'worker ended', exit_code: 69 }),
    ].join('\n'),
    'in a field beside its message': inJson({ message: 'ingest failed', error: B_FRAMES }),
    'in plain text': `2026-11-27 01:00:00,123 ERROR [${STREAM}] ${B_FRAMES}`,
    'without a level, last': `${STREAM} read\n${STREAM} given up: ${B_FRAMES}\n`,
  };
  for (const [where, log] of Object.entries(logs)) {
    it(`is told by the worker's own words on the first screen: ${where}`, async () => {
      const cause = await firstCause(refused(log));
      expect(cause).to.match(/^✘ Cause of 6 of 6 failures: media-service was not connected/);
      expect(cause).to.contain('media-service has logged: "').and.contain(B_FRAMES);
    });
  }

  it('is told by them too when it had connected before it looked at the video', async () => {
    const events = [connection(0.5, 'open'), event(1, 'stream:ready')];
    const cause = await firstCause(
      refused(inJson({ message: 'HEVC is not supported' }), {}, events),
    );
    expect(cause).to.contain('another number of fragments');
    expect(cause).to.contain('media-service has logged: "HEVC is not supported"');
  });

  it('is told by two lines at most, each once, and not by those of another stream', () => {
    const stream = 'test_nfl_1';
    const said = ['one', 'one', 'two', 'three'].map((message) =>
      inJson({ stream_id: stream, message }),
    );
    const other = inJson({ stream_id: 'test_other_1', message: 'four' });
    expect(quotedErrors(refused([other, ...said].join('\n'), { stream }))).to.deep.equal([
      'media-service has logged: "one", "two"',
    ]);
  });

  it('is told without them where there are none', async () => {
    expect(quotedErrors(refused(''))).to.deep.equal([]);
    const elsewhere = refused(inJson({ message: 'x' }), { notOffered: { logs: 'elsewhere' } });
    expect(quotedErrors(elsewhere)).to.deep.equal([]);
    expect(await firstCause(elsewhere)).to.contain('no attempt to connect: the worker is gone');
  });
});
