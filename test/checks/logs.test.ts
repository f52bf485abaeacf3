import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { lineOf } from '../../support/analyze/service-log';
import { CannotBeShown } from '../../support/base/errors';
import {
  logsErrorAbout,
  logsErrorNaming,
  logsNoError,
  logsWarningAbout,
  reports,
} from '../../support/checks/logs';
import { textsLogged } from '../../support/checks/texts';
import { event, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES, stateOf } from './a-broadcast';

describe('criteria of logs', () => {
  const error = aBroadcast({ log: [[1, 'Audio track required: ¡sí!', { level: 'ERROR' }]] });
  const warning = aBroadcast({ log: [[1, 'original audio', { level: 'WARNING' }]] });
  const text = (logText: string) => aBroadcast({ logText });

  it('judge by the level, in JSON and in plain text', async () => {
    for (const [broadcast, isError] of [
      [error, true],
      [warning, false],
      [text('{"severity": 3, "stream": "s"}'), true],
      [text('E0000 pipeline s\n2026-01-01 ERROR pipeline s: gone'), true],
      [text('0:00:01 WARN pipeline s: late'), false],
    ] as const) {
      const [yes, no] = isError ? ['passed', 'failed'] : ['failed', 'passed'];
      expect(await stateOf(logsErrorAbout, broadcast, {})).to.equal(yes);
      expect(await stateOf(logsWarningAbout, broadcast, {})).to.equal(no);
      expect(await stateOf(logsNoError, broadcast, null)).to.equal(no);
    }
  });

  it('show nothing where no line has a level, or none is about the stream', async () => {
    for (const logText of ['pipeline s: gone', 'ERROR of another', '']) {
      const rejected = stateOf(logsNoError, text(logText), null).catch((reason: unknown) => reason);
      expect(await rejected).to.be.instanceOf(CannotBeShown);
    }
  });

  it("ask for a spec's words, in any case and however they are escaped", async () => {
    expect(await stateOf(logsErrorAbout, error, { words: 'audio track required' })).to.equal(
      'passed',
    );
    expect(await stateOf(logsErrorAbout, error, { words: 'video track' })).to.equal('failed');
    const escaped = text('{"level": "ERROR", "stream": "s", "why": "\\u00a1S\\u00cd!"}');
    expect(await stateOf(logsErrorAbout, escaped, { words: '¡sí!' })).to.equal('passed');
    expect(await stateOf(reports, warning, { text: 'Original', least: 1 })).to.equal('passed');
    expect(await stateOf(reports, warning, { text: 'original', least: 2 })).to.equal('failed');
  });

  it('find texts of the STS however they are escaped', async () => {
    const answer = { status: 'success', transcript: 'the kick', translated_text: 'el balón «sí»' };
    const events = Array.from({ length: 15 }, (_, i) => [
      sent(i, `f${i}`, { sequence: i, isWhole: true }),
      event(i, 'fragment:processed', { fragment_id: `f${i}`, ...answer }),
    ]).flat();
    const logged = (text: string) => {
      const broadcast = aBroadcast({ events });
      writeFileSync(join(broadcast.evidence.folder, `${NAMES.sts}.log`), text);
      return stateOf(textsLogged, broadcast, null);
    };
    expect(await logged('the kick: el balón «sí»')).to.equal('passed');
    const escaped = '{"said": "the kick", "in_spanish": "el bal\\u00f3n \\u00ABs\\u00ed\\u00BB"}';
    expect(await logged(escaped)).to.equal('passed');
    expect(await logged(escaped.replace('kick', 'ball'))).to.equal('failed');
  });

  it('of a source that cannot be read ask for an error', async () => {
    const state = (...lines: string[]) => stateOf(logsErrorNaming, lines.map(lineOf), null);
    expect(await state('level=error msg=gone')).to.equal('passed');
    expect(await state('level=info msg=gone')).to.equal('failed');
    expect(await state()).to.equal('failed');
  });
});
