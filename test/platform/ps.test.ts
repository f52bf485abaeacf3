import { describe, it } from 'node:test';

import { expect } from 'chai';

import { connectionIn, parseLsof, parsePs, valuesIn } from '../../support/platform/ps';

/** As macOS prints it. */
const PS = `
    1     0     1 Fri Nov 27 08:00:05 2026     Ss   /sbin/launchd
  612     1   612 Sat Nov  7 18:19:22 2026     S    npm run acceptance  
  640   612   612 Sat Nov  7 18:19:23 2026     S+   /bin/sh -c node scripts/cucumber.mjs
  641   640   612 Sat Nov  7 18:19:24 2026     Z    (node)
  642   640   612 Sat Nov  7 18:19:24 2026     S+
`;

describe("macOS's ps", () => {
  it('tells processes that run, and when they started', () => {
    expect(parsePs(PS)).to.deep.equal([
      { pid: 1, parent: 0, group: 1, startTime: '1795766405', command: '/sbin/launchd' },
      { pid: 612, parent: 1, group: 612, startTime: '1794075562', command: 'npm run acceptance' },
      {
        ...{ pid: 640, parent: 612, group: 612, startTime: '1794075563' },
        command: '/bin/sh -c node scripts/cucumber.mjs',
      },
      { pid: 642, parent: 640, group: 612, startTime: '1794075564', command: '' },
    ]);
  });

  it('tells nothing where it fails', () => {
    expect(parsePs('')).to.deep.equal([]);
    expect(parsePs('ps: illegal option -- x\nusage: ps [-AaCcEefhjlMmrSTvwXx]')).to.deep.equal([]);
  });

  it('tells a variable of the environment, and no argument that looks like one', () => {
    const one = { pid: 7, parent: 1, group: 7, startTime: '5', command: 'node -e RUN=argument a' };
    const values = (text: string, startTime = '5'): string[] =>
      valuesIn([one], [{ ...one, startTime, command: text }], 'RUN').map(({ value }) => value);
    expect(values('node -e RUN=argument a PATH=/bin RUN=abc-1/2 HOME=/')).to.deep.equal([
      'abc-1/2',
    ]);
    expect(values('node -e RUN=argument a RUN=')).to.deep.equal(['']);
    expect(values('node -e RUN=argument a PATH=/bin OVERRUN=1')).to.deep.equal([]);
    expect(values('node -e RUN=argument a')).to.deep.equal([]);
    expect(values('node -e RUN=argument a RUN=abc', '6'), 'of a later process').to.deep.equal([]);
    expect(values('python RUN=abc'), 'of what it was before').to.deep.equal([]);
  });
});

describe("macOS's lsof", () => {
  it('tells the files of processes', () => {
    const text = 'p612\nfcwd\nn/Users/somebody\nf23\nn127.0.0.1:3000\np700\nf9u\nn*:8554\n';
    expect(parseLsof(text)).to.deep.equal([
      { pid: 612, descriptor: 'cwd', name: '/Users/somebody' },
      { pid: 612, descriptor: '23', name: '127.0.0.1:3000' },
      { pid: 700, descriptor: '9u', name: '*:8554' },
    ]);
    expect(parseLsof('')).to.deep.equal([]);
  });

  const connections: [string, string][] = [
    ['127.0.0.1:50000->127.0.0.2:8080', '127.0.0.2'],
    ['[::1]:50000->[::1]:8080', '::1'],
    ['[::ffff:10.0.0.1]:50000->[::ffff:10.0.0.2]:8080', '10.0.0.2'],
    ['[fe80::1]:50000->[::ffff:1]:8080', '::ffff:1'],
  ];
  for (const [name, remoteAddress] of connections) {
    it(`tells where ${name} leads`, () => {
      const found = { localPort: 50000, remoteAddress, remotePort: 8080 };
      expect(connectionIn(name)).to.deep.equal([found]);
    });
  }

  it('tells no connection of a socket that listens', () => {
    expect(connectionIn('*:8554')).to.deep.equal([]);
  });
});
