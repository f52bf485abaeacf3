/** Options of a command, without hyphens before them: those that stand alone, and those with a value. */
export interface KnownOptions {
  flags: readonly string[];
  withValue: readonly string[];
}

/**
 * npm takes options that stand before `--` for its own, and writes them into the environment: `npm run compare --last 5`.
 *
 * @param command as npm knows it: `compare`
 * @param args what npm has passed on: the value, where it was not joined by `=`
 * @param isValue whether an argument can be the value of an option
 * @returns what to type instead; undefined where npm took none
 */
export function takenByNpm(
  environment: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  { flags, withValue }: KnownOptions,
  isValue: (text: string) => boolean = () => true,
): string | undefined {
  if (environment['npm_lifecycle_event'] !== command) return undefined;
  const rest = [...args];
  const options = [...flags, ...withValue].flatMap((name) => {
    const value = environment[`npm_config_${name.replaceAll('-', '_')}`];
    if (value === undefined) return [];
    const option = name.length === 1 ? `-${name}` : `--${name}`;
    if (flags.includes(name)) return [value === '' ? option.replace('--', '--no-') : option];
    if (value !== 'true') return [option, quoted(value)];
    const [given = '…'] = rest.splice(Math.max(0, rest.findIndex(isValue)), 1);
    return [option, quoted(given)];
  });
  if (options.length === 0) return undefined;
  return [`npm run ${command} --`, ...options, ...rest.map(quoted)].join(' ');
}

function quoted(text: string): string {
  return /^[\w@./:,=…-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
