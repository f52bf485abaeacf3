import { describe, it } from 'node:test';

import { expect } from 'chai';

import { npmAnswer, pipAnswer } from '../../scripts/audit-answers';

const said = (answer: unknown, stderr = ''): Parameters<typeof npmAnswer>[0] => ({
  stdout: typeof answer === 'string' ? answer : JSON.stringify(answer),
  stderr,
});

describe('what a dependency audit has said', () => {
  it('is nothing, when the registry knows of nothing', () => {
    expect(npmAnswer(said({ auditReportVersion: 2, vulnerabilities: {} }))).to.deep.equal({
      known: [],
    });
    const dependencies = [{ name: 'a', version: '1.0', vulns: [] }];
    expect(pipAnswer(said({ dependencies, fixes: [] }))).to.deep.equal({ known: [] });
  });

  it('is what the registry knows of', () => {
    const vulnerabilities = { a: { name: 'a', severity: 'high', range: '<2', via: [] } };
    expect(npmAnswer(said({ auditReportVersion: 2, vulnerabilities }))).to.deep.equal({
      known: ['a <2: high'],
    });
    const dependencies = [
      { name: 'a', version: '1.0', vulns: [{ id: 'PYSEC-1', fix_versions: ['1.1'], aliases: [] }] },
      { name: 'b', version: '2.0', vulns: [{ id: 'PYSEC-2', fix_versions: [] }] },
    ];
    expect(pipAnswer(said({ dependencies }))).to.deep.equal({
      known: ['a 1.0: PYSEC-1, fixed in 1.1', 'b 2.0: PYSEC-2, fixed in no version'],
    });
  });

  it('is that nobody could be asked, and why', () => {
    const refused = { message: '405 Method Not Allowed', statusCode: 405 };
    expect(npmAnswer(said(refused))).to.deep.equal({ problem: '405 Method Not Allowed' });
    const silent = said('', 'warning\nnetwork is unreachable\n');
    expect(npmAnswer(silent)).to.deep.equal({ problem: 'network is unreachable' });
    expect(pipAnswer(silent)).to.deep.equal({ problem: 'network is unreachable' });
    const unknown = [
      { name: 'a', version: '1.0', vulns: [] },
      { name: 'b', skip_reason: 'not found' },
    ];
    expect(pipAnswer(said({ dependencies: unknown }))).to.deep.equal({ problem: 'not found' });
    expect(pipAnswer(said({ dependencies: [] }, 'no file'))).to.deep.equal({ problem: 'no file' });
    expect(npmAnswer(said('not JSON'))).to.deep.equal({ problem: 'no answer, and no reason' });
  });
});
