/** The command lines of this project's own commands: `--help` and usage errors are the same for all of them. */
import { parseArgs, type ParseArgsConfig } from 'node:util';

import { messageOf } from './errors';
import { takenByNpm } from './npm-options';

/** What npm has told; nothing where a command does not read the configuration. */
let npm: NodeJS.ProcessEnv = {};

/** From now on, options that npm has taken for its own are known by these variables. */
export function knowNpmBy(environment: NodeJS.ProcessEnv): void {
  npm = environment;
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: T }>
>;

/**
 * Options and other arguments of a command. Ends this process with exit code 0 after `--help`, and with 2 where an option
 * is unknown or malformed, where there are too many arguments, and where npm has taken an option for its own.
 *
 * @param usage `usage: npm run …`
 * @param most how many arguments there may be that are no options
 */
export function readCommandLine<const T extends Options>(
  usage: string,
  options: T,
  most = 0,
  args: string[] = process.argv.slice(2),
): Parsed<T> {
  endIfHelp(usage, args);
  const named = (type: string): string[] =>
    Object.keys(options).filter((name) => options[name]?.type === type);
  const known = { flags: named('boolean'), withValue: named('string') };
  const toType = takenByNpm(npm, npm['npm_lifecycle_event'] ?? '', args, known);
  if (toType) usageError(usage, `npm takes options before -- for its own. Type: ${toType}`);
  try {
    const parsed = parseArgs({ args, allowPositionals: true, options });
    const unexpected = parsed.positionals[most];
    if (unexpected !== undefined) usageError(usage, `unexpected: ${unexpected}`);
    return parsed;
  } catch (error) {
    return usageError(usage, messageOf(error));
  }
}

/** Prints the usage where it is asked for, and ends this process. */
export function endIfHelp(usage: string, args: readonly string[]): void {
  if (!args.includes('--help') && !args.includes('-h')) return;
  console.log(usage);
  process.exit(0);
}

/** Says what cannot be of what was typed, then the usage, and ends this process with exit code 2. */
export function usageError(usage: string, reason: string): never {
  console.error(`${reason}\n${usage}`);
  process.exit(2);
}
