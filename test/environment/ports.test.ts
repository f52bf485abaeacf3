import { createServer } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { checkPortsFree, freePort } from '../../support/environment/ports';
import { messageOf } from '../../support/errors';

describe('ports', () => {
  it('refuses a taken port, naming port, purpose and holder', async () => {
    const port = await freePort();
    await checkPortsFree(new Map([[port, 'sts-service']]));
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done));
    const refusal = await checkPortsFree(new Map([[port, 'sts-service']])).catch(messageOf);
    await new Promise((done) => holder.close(done));
    expect(refusal).to.include(`port ${port} (sts-service)`);
    expect(refusal).to.include(`(pid ${process.pid})`);
  });
});
