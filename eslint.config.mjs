import js from '@eslint/js';
import comments from '@eslint-community/eslint-plugin-eslint-comments';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['reports/', 'fixtures/generated/', '.venv/', '.tools/', '**/vendor/'] },
  js.configs.recommended,
  {
    plugins: { comments },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'comments/require-description': 'error',
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers are what messages are made of.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it'] },
          ],
        },
      ],
      // A one-line callback is easier to read without braces.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Methods of an interface that answers with promises, in an implementation that has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        {
          // Neither a template nor a regular expression: editors, grep and the usage formatter then find every step.
          selector:
            'CallExpression[callee.name=/^(Given|When|Then)$/]:not([arguments.0.type="Literal"][arguments.0.raw=/^[\'"]/])',
          message: 'The first argument of a step definition is a literal Cucumber Expression.',
        },
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only support/config.ts reads the environment.',
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', 'cucumber.js'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'module',
          'require',
          'performance',
          'setTimeout',
          'clearTimeout',
          'fetch',
          'AbortSignal',
          '__dirname',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  { files: ['cucumber.js'], languageOptions: { sourceType: 'commonjs' } },
  {
    // They run in the pages of the reports.
    files: ['support/report/*-script.js'],
    languageOptions: {
      sourceType: 'script',
      globals: Object.fromEntries(
        ['document', 'window', 'location', 'history', 'requestAnimationFrame', 'VTTCue'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  { files: ['support/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    // chai's assertions are expressions: expect(x).to.be.true
    files: ['test/**/*.ts', 'test/**/*.tsx'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      // A group of tests is one function.
      'max-lines-per-function': 'off',
    },
  },
);
