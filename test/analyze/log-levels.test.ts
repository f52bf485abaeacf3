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
    ['2026-11-26 21:00:00,123 [main] ERROR c.e.Worker - overrun', 'ERROR'],
    ['[worker] [ERROR] failed', 'ERROR'],
    ['2026 [stream] INFO ok', 'INFO'],
    ['\u001b[2mnow\u001b[0m [\u001b[31m\u001b[1merror    \u001b[0m] failed', 'ERROR'],
    ['2026-11-26T21:00:00Z [warning  ] late', 'WARNING'],
    ['ERRO[0003] failed stream=s', 'ERROR'],
    ['9:00PM ERR failed', 'ERROR'],
    ['the loss is INF again', undefined],
    ['E1126 21:00:00.000000    1 worker.go:42] "failed"', 'ERROR'],
    ['E0000 pipeline', undefined],
    ['<11>1 2026-11-26T21:00:00Z host app - - - failed', 'ERROR'],
    ['SEVERE: failed', 'ERROR'],
    ['fail: Worker[0] gone', 'ERROR'],
    ['now\tERROR\tworker.go:42\tgone\t{"stream_id":"s"}', 'ERROR'],
    ['{"log":{"level":"error"},"message":"gone"}', 'ERROR'],
    ['{"message":"gone","level":400,"level_name":"ERROR"}', 'ERROR'],
    ['{"@mt":"gone","@l":"Error"}', 'ERROR'],
    ['{"level":{"name":"ERROR","value":40000}}', 'ERROR'],
    ['{"text":"gone","record":{"level":{"name":"ERROR","no":40}}}', 'ERROR'],
    ['{"Body":"gone","SeverityText":"ERROR"}', 'ERROR'],
    ['{"message": "no level, and no ERROR"}', undefined],
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
