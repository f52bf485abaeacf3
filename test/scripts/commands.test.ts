import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';

describe('a version of Node.js', () => {
  const { engines } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  const versions = [
    ...['18.20.8', '20.18.3', '21.7.3', '22.12.0', '23.11.1'].map((one) => [one, false] as const),
    ...['20.19.0', '20.20.2', '22.13.0', '24.0.0', '25.1.0'].map((one) => [one, true] as const),
  ];
  for (const [version, fits] of versions) {
    it(`${version} is ${fits ? 'taken' : 'refused'}`, async () => {
      const script: string = join(projectRoot, 'scripts/commands.mjs');
      const commands = (await import(script)) as {
        fitsNode: (version: string, range: string) => boolean;
      };
      expect(commands.fitsNode(version, engines.node)).to.equal(fits);
    });
  }
});
