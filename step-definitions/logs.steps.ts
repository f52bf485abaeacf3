import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Then } from '@cucumber/cucumber';

import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';

Then(
  /^the logs of its services are (not )?collected$/,
  function (this: DubbingWorld, not: string | null) {
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
