import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { besideServices, type Command, measuringCpuShares } from './priority';

const root = resolve(__dirname, '../..');
const python = join(root, '.venv/bin/python');
/** Written by the set-up (scripts/docker.mjs): the name of the image. */
const imageFile = join(root, '.tools/tools-image');
/** Where the image has the suite's files, and which folder it has as well (compose/tools/Dockerfile). */
const SUITE = '/suite';
const MODEL = join(root, '.tools/models/whisper-base');
const DOCKER = 'docker';

/**
 * How one of the suite's own Python programs is run: with the environment that the set-up has made, or, where it has made none, in the
 * tools image, by standard input and output, without a network, as this user. A folder that is not in the image is mounted to be read.
 *
 * @param script a file of this project
 * @param options.reads the argument that is a folder, if one is
 * @param options.variables names of environment variables that the program is given
 */
export function toolPython(
  script: string,
  args: readonly string[],
  options: { reads?: string; variables?: readonly string[] } = {},
): Command {
  const image = toolsImage();
  if (image === undefined) return { program: python, args: [script, ...args] };
  const { reads, variables = [] } = options;
  const isMounted = reads !== undefined && !isInImage(reads);
  return {
    program: DOCKER,
    args: [
      ...['run', '--rm', '--init', '--interactive', '--network', 'none'],
      ...['--user', `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`],
      ...variables.flatMap((name) => ['--env', name]),
      ...(isMounted ? ['--mount', `type=bind,source=${reads},target=${reads},readonly`] : []),
      ...[image, pathInImage(script)],
      ...args.map((arg) => (arg === reads && !isMounted ? pathInImage(arg) : arg)),
    ],
  };
}

/** The same as it is started beside services, to which it yields. What it answers is the same. */
export function besideBroadcasts({ program, args }: Command): Command {
  if (program !== DOCKER) return besideServices({ program, args });
  const shares = ['--cpu-shares', String(measuringCpuShares())];
  return { program, args: [...args.slice(0, 1), ...shares, ...args.slice(1)] };
}

/** Whether programs that {@link toolPython} runs have a folder in the image. */
export function isInImage(folder: string): boolean {
  return toolsImage() !== undefined && folder === MODEL;
}

function pathInImage(path: string): string {
  return `${SUITE}/${relative(root, path)}`;
}

function toolsImage(): string | undefined {
  if (existsSync(python) || !existsSync(imageFile)) return undefined;
  return readFileSync(imageFile, 'utf8').trim();
}
