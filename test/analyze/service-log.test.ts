import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  exitCodeIn,
  isError,
  lineOf,
  linesAbout,
  linesOf,
} from '../../support/analyze/service-log';
import { aRecord } from '../broadcast/a-record';

describe('a line of a log', () => {
  const lines: [string, object][] = [
    [
      '{"timestamp": 5, "level": "error", "message": "a"}',
      { at: 5000, level: 'ERROR', message: 'a' },
    ],
    ['{"time": 1795705154683, "level": 50, "msg": "b"}', { at: 1795705154683, level: 'ERROR' }],
    ['{"ts": 5.5, "levelno": 40, "event": "c"}', { at: 5500, level: 'ERROR', message: 'c' }],
    ['{"severity": 3, "message": "d"}', { at: undefined, level: 'ERROR' }],
    ['1970-01-01T00:00:05Z {"severity": "WARNING"}', { at: 5000, level: 'WARNING', message: '' }],
    ['1970-01-01 00:00:05,250+00:00 ERROR gone', { at: 5250, level: 'ERROR' }],
    ['[1970-01-01T00:00:05Z] plain', { at: 5000, level: undefined }],
    ['{"message": "\\u00bfqu\\u00e9?"}', { message: '¿qué?' }],
    ['time=1970-01-01T00:00:05Z level=error msg=x', { at: 5000, level: 'ERROR' }],
    ['ts=1795705154.5 level=warn', { at: 1795705154500, level: 'WARNING' }],
    ['[1970-01-01 00:00:05 +0000] [7] [ERROR] gone', { at: 5000, level: 'ERROR' }],
    ['\u001b[2m1970-01-01T00:00:05Z\u001b[0m late', { at: 5000 }],
    [
      '1970-01-01T00:00:05Z\tERROR\tw.go:4\tno audio\t{"stream_id":"s"}',
      { at: 5000, level: 'ERROR', message: 'ERROR\tw.go:4\tno audio', fields: { stream_id: 's' } },
    ],
  ];
  for (const [line, expected] of lines) {
    it(line, () => {
      expect(lineOf(line)).to.deep.include(expected);
    });
  }

  it('is an error from its level on, in any format', () => {
    const levels = [
      '{"level": 60}',
      'CRITICAL x',
      '{"levelname": "WARNING"}',
      'an error, in words',
    ];
    expect(levels.map((line) => isError(lineOf(line)))).to.deep.equal([true, true, false, false]);
  });
});

describe('the lines about a stream', () => {
  const record = (alongside: string[] = []) =>
    aRecord({ times: { published: 4000 }, finishedAt: 6000, alongside });
  const at = (second: number, text: string): string => `1970-01-01T00:00:0${second}Z ${text}`;

  it('are those that name it, and otherwise those of its time where it was alone', () => {
    const log = [at(3, 'early'), at(5, 'now'), at(7, 'late'), 'without a time'].join('\n');
    const messages = (text: string, others?: string[]): string[] =>
      linesAbout(text, 'live-s', record(others)).map(({ message }) => message);
    expect(messages(log)).to.deep.equal([at(5, 'now')]);
    expect(messages(log, ['live-t'])).to.be.empty;
    expect(messages(`${log}\n${at(9, 'of live-s')}`)).to.deep.equal([at(9, 'of live-s')]);
  });

  it('have the exit code of its worker, whatever the field is called', () => {
    const code = (...lines: string[]): number | undefined =>
      exitCodeIn(linesOf(lines.join('\n'), ''));
    expect(code('{"exit_code": 0}', '{"exitCode": 3}')).to.equal(3);
    expect(code('{"code": 3}', 'exit_code 3')).to.equal(undefined);
    expect(code('{"exit_code": "1"}')).to.equal(1);
    expect(code('INFO worker ended stream_id=s exit_code=1')).to.equal(1);
  });
});
