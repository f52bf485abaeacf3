import { describe, it } from 'node:test';

import { expect } from 'chai';

import { countLevels, levelOf } from '../../support/analyze/log-levels';

describe('the level of a line of a log', () => {
  const lines: [string, string | undefined][] = [
    ['{"level": "INFO", "message": "DEBUG is off"}', 'INFO'],
    ['2026-01-01T00:00:00Z {"levelname":"WARNING","msg":"late"}', 'WARNING'],
    ['{"severity":"NOTICE"}', 'INFO'],
    ['{"log.level":"debug"}', 'DEBUG'],
    ['{"level":20,"msg":"pino"}', 'DEBUG'],
    ['{"level":60}', 'CRITICAL'],
    ['time=now level=warn msg="no ERROR"', 'WARNING'],
    ['2026-01-01 00:00:00,000 - worker - ERROR - gone', 'ERROR'],
    ['INFO:root:ready', 'INFO'],
    ['[debug] polling', 'DEBUG'],
    ['error: no model', 'ERROR'],
    ['CUDA-INFO-TABLE', undefined],
    ['Traceback (most recent call last):', undefined],
    ['{"message": "no level"}', undefined],
  ];
  for (const [line, level] of lines) {
    it(`${line}: ${level ?? 'none'}`, () => {
      expect(levelOf(line)).to.equal(level);
    });
  }

  it('counts them, the least important first', () => {
    const log = '{"level":"ERROR"}\n{"level":"INFO"}\nplain\n{"level":"ERROR"}\n';
    expect([...countLevels(log)]).to.deep.equal([
      ['INFO', 1],
      ['ERROR', 2],
    ]);
  });
});
