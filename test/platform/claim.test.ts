import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { claim, release } from '../../support/platform/claim';
import { eventually } from '../../support/base/eventually';

const HOLDER = `
require('./support/platform/claim').claim(process.argv[1]).then((isOurs) => console.log(isOurs));
setInterval(() => undefined, 1000);
`;

describe('what one process may have at a time', () => {
  it('is had by one, and by the next when that one is killed', async () => {
    const what = `a test of process ${process.pid}`;
    const holder = spawn(process.execPath, [
      '-r',
      './support/base/typescript.cjs',
      '-e',
      HOLDER,
      what,
    ]);
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(said.toString().trim()).to.equal('true');
    expect(await claim(what), 'while another one has it').to.be.false;
    expect(await claim(`${what}, another thing`)).to.be.true;
    holder.kill('SIGKILL');
    await eventually(
      'the kernel',
      async () => expect(await claim(what), 'after its death').to.be.true,
      { withinMs: 2000 },
    );
    expect(await claim(what), 'once more').to.be.true;
    await release(what);
    await release(what);
    expect(await claim(what), 'after it was given back').to.be.true;
  });
});
