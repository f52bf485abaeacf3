import { describe, it } from 'node:test';

import { loadConfiguration } from '@cucumber/cucumber/api';
import { expect } from 'chai';

import { whyNothing } from '../../support/session/selection';

describe('why no scenario is selected', () => {
  const selections: [args: string[], why: string | undefined][] = [
    [[], undefined],
    [['features/full-services', '--tags', '@021-US5-1'], undefined],
    [['features/none.feature:3'], 'features/none.feature:3: there is no such file or folder'],
    [['features', '@none.txt'], '@none.txt: there is no such file or folder'],
    [['@021-US5-1'], 'For scenarios with a tag: npm run acceptance -- --tags @021-US5-1'],
    [['@package.json'], 'begins with @ itself: --format rerun:@rerun.txt'],
    [['features/*.none'], 'no scenario is at features/*.none'],
    [['--tags', '@nothing or @none'], '@nothing, @none: no scenario has such a tag'],
    [['--tags', '@P1 and @P2'], '--tags (@P1 and @P2): no scenario has tags that fit'],
    [['--tags', '(@P1'], 'Unmatched ('],
    [['--name', 'nothing at all'], '--name nothing at all: no scenario has such a name'],
    [['--name', '('], 'Unterminated group'],
    [
      ['--name', 'broadcast', '--tags', '@019-E7'],
      'no scenario fits both --tags (@019-E7) and --name',
    ],
    [['--shard', '0/2'], '--shard 0/2: the first number is from 1 to 2'],
    [['--shard', '2/2'], undefined],
    [['--shard', '3/2'], '--shard 3/2: the first number is from 1 to 2'],
    [['--tags', '@021-US5-1', '--shard', '1/2'], undefined],
    [['--tags', '@021-US5-1', '--shard', '2/2'], '--shard 2/2 is empty: 1 scenario in all'],
  ];
  for (const [args, why] of selections) {
    it(`${args.join(' ') || 'no option'}: ${why ?? 'one is selected'}`, async () => {
      const { runConfiguration } = await loadConfiguration({ file: false, provided: args });
      const found = await whyNothing(runConfiguration.sources);
      if (why === undefined) expect(found).to.equal(undefined);
      else expect(found).to.include(why);
    });
  }
});
