import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Then } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';

Then(
  /^the logs of its services are (collected|not collected)$/,
  function (this: DubbingWorld, what: string) {
    const not = what.startsWith('not');
    for (const { project, compose } of [this.manager.value.sts, this.manager.value.media]) {
      for (const { name } of compose.services) {
        const file = join(this.logFolder.value, project, `${name}.log`);
        const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
        expectThat(not ? lines === 0 : lines > 0, {
          what: not ? 'logs were collected without need' : 'a log was not collected',
          where: file,
          seen: `${lines} lines`,
          expected: not ? 'no file' : 'what the service wrote',
        });
      }
    }
  },
);

/** Levels as services log them: `"level": "ERROR"`, `level=error`, or the word in capitals. */
const LEVELS = {
  'an error': /\b[Ll]evel(?:name)?"?\s*[:=]\s*"?(?:[Ee]rror|[Ff]atal)|\b(?:ERROR|CRITICAL|FATAL)\b/,
  'a warning': /\b[Ll]evel(?:name)?"?\s*[:=]\s*"?[Ww]arn|\bWARN(?:ING)?\b/,
};

Then(
  /^media-service logged (an error|a warning) about it: "(.+)"$/,
  async function (this: DubbingWorld, kind: keyof typeof LEVELS, text: string) {
    const run = this.broadcast.value;
    const { name } = (await this.session.settings()).services.mediaService;
    const level = LEVELS[kind];
    const lines = run.log(name).split('\n');
    const ours = lines.filter((line) => line.includes(run.stream));
    const found = ours.find((line) => level.test(line) && line.includes(text));
    expectThat(found !== undefined, {
      what: `media-service did not log ${kind} that says so`,
      where: `${name}.log, stream ${run.stream}`,
      seen: [`${lines.length} lines, of this stream:`, ...ours.slice(-10)].join('\n'),
      expected: `${kind} with "${text}"`,
    });
    this.log(found ?? '');
  },
);
