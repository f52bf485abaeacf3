// The folder table of the README as rules: who may import whom.
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'steps-are-glue',
      comment: 'Steps reach services, publisher and observers through the World.',
      severity: 'error',
      from: { path: '^step-definitions' },
      to: { path: '^support/observe/(tap|sampler|pipeline-run|evidence)' },
    },
    {
      name: 'analyzers-are-pure',
      comment: 'From evidence to findings: no environment, no session, no report.',
      severity: 'error',
      from: { path: '^support/analyze' },
      to: { path: '^support/(environment|report|session|world|hooks|config)' },
    },
    {
      name: 'environment-knows-no-broadcast',
      severity: 'error',
      from: { path: '^support/environment', pathNot: 'nested-suite' },
      to: { path: '^support/(observe|analyze|report|session|world|hooks)' },
    },
    {
      name: 'observers-do-not-start-services',
      severity: 'error',
      from: { path: '^support/observe' },
      to: { path: '^support/(environment|report|session|world|hooks|config)' },
    },
    {
      name: 'contract-stands-alone',
      severity: 'error',
      from: { path: '^support/contract' },
      to: { path: '^support/(?!contract)' },
    },
    {
      name: 'faults-know-no-judgement',
      comment: 'Faults change what is seen; how it is judged is the business of the scenarios.',
      severity: 'error',
      from: { path: '^prove' },
      to: { path: '^(step-definitions|support/(world|hooks|session))' },
    },
    {
      name: 'nobody-needs-the-faults',
      severity: 'error',
      from: { path: '^(support|step-definitions|scripts)' },
      to: { path: '^prove' },
    },
    {
      name: 'suite-does-not-know-the-reference-services',
      severity: 'error',
      from: { path: '^(support|step-definitions)' },
      to: { path: '^compose/services' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
