// What is wrong with the options of a run, before anything is touched.
import { existsSync } from 'node:fs';

/** cucumber-js's options that take no value, as npm writes them into the environment. */
const FLAGS = ['backtrace', 'dry_run', 'exit', 'force_exit', 'fail_fast', 'publish', 'strict'];
const WITH_VALUE = [
  ...['config', 'format_options', 'import', 'language', 'loader', 'name', 'order', 'parallel'],
  ...['plugin', 'plugin_options', 'profile', 'require', 'require_module', 'retry'],
  ...['retry_tag_filter', 'shard', 't', 'tags', 'world_parameters'],
];

/**
 * npm takes options that stand before `--` for its own: `npm run acceptance --tags X`.
 *
 * @param {Record<string, string | undefined>} environment
 * @param {readonly string[]} args what npm has passed on: the value, where it was not joined by `=`
 * @returns {string | undefined} what to type instead; undefined where npm took none
 */
export function takenByNpm(environment, args) {
  if (environment.npm_lifecycle_event !== 'acceptance') return undefined;
  const rest = [...args];
  const options = [...FLAGS, ...WITH_VALUE].flatMap((name) => {
    const value = environment[`npm_config_${name}`];
    if (value === undefined) return [];
    const option = name.length === 1 ? `-${name}` : `--${name.replaceAll('_', '-')}`;
    if (FLAGS.includes(name)) return [value === '' ? option.replace('--', '--no-') : option];
    const given = value === 'true' ? (rest.shift() ?? '…') : value;
    return [option, quoted(given)];
  });
  if (options.length === 0) return undefined;
  return ['npm run acceptance --', ...options, ...rest.map(quoted)].join(' ');
}

/**
 * Paths that lead nowhere: cucumber-js passes over them.
 *
 * @param {readonly string[]} paths as cucumber-js takes them: a file with lines, a folder, a pattern, or @ and a file
 */
export function missingPaths(paths) {
  return paths.filter((path) => {
    const file = path.replace(/^@/, '').replace(/(?::\d+)+$/, '');
    return !/[*?[\]{}()!]/.test(file) && !existsSync(file);
  });
}

function quoted(text) {
  return /^[\w@./:,=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
