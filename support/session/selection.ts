/** Whether what was asked for selects a scenario: cucumber-js passes over what does not, and says nothing of it. */
import { existsSync } from 'node:fs';

import { type IRunConfiguration, loadSources } from '@cucumber/cucumber/api';

import { messageOf } from '../base/errors';
import { counted } from '../report/wording';

type Sources = IRunConfiguration['sources'];

/**
 * Why no scenario is selected, as a line for people.
 *
 * @returns undefined where one is, and where a feature file is malformed: cucumber-js itself names it
 */
export async function whyNothing(
  sources: Sources,
  shard = sources.shard,
): Promise<string | undefined> {
  const { paths, tagExpression: tags, names } = sources;
  const missing = paths.find(leadsNowhere);
  if (missing !== undefined) {
    return `${missing}: there is no such file or folder${hintOf(missing)}`;
  }
  const [index = 0, total = 0] = (shard || '1/1').split('/').map(Number);
  if (index < 1 || index > total) return `--shard ${shard}: the first number is from 1 to ${total}`;
  const count = async (part: Partial<Sources>): Promise<number> => {
    const selection = { order: 'defined', tagExpression: '', names: [], shard: '' } as const;
    const whole: Sources = { ...sources, ...selection, names: [] };
    const { plan, errors } = await loadSources({ ...whole, ...part });
    return errors.length > 0 ? Infinity : plan.length;
  };
  try {
    const selected = await count({ tagExpression: tags, names });
    // Of an empty one of those that cost about the same, the plugin says it.
    if (selected >= index) return undefined;
    if (selected > 0) return `--shard ${shard} is empty: ${counted(selected, 'scenario')} in all`;
  } catch (error) {
    // It names the expression that is malformed.
    return messageOf((error as Error).cause ?? error);
  }
  if ((await count({})) === 0) return `no scenario is at ${paths.join(' ')}`;
  if ((await count({ names })) === 0)
    return `--name ${names.join(' ')}: no scenario has such a name`;
  if ((await count({ tagExpression: tags })) > 0) {
    return `no scenario fits both --tags ${tags} and --name ${names.join(' ')}`;
  }
  const unknown: string[] = [];
  for (const tag of new Set(tags.match(/@[^\s()]+/g))) {
    if ((await count({ tagExpression: tag })) === 0) unknown.push(tag);
  }
  return unknown.length > 0
    ? `${unknown.join(', ')}: no scenario has such a tag`
    : `--tags ${tags}: no scenario has tags that fit`;
}

/** Why a shard has none of these scenarios, as a line for people. */
export function whyEmpty(shard: string | undefined, scenarios: number): string {
  return `--shard ${shard} is empty: what the ${counted(scenarios, 'scenario')} look at is in other shards`;
}

/** @param path as cucumber-js takes it: a file with lines, a folder, a pattern, or a list of failed scenarios */
function leadsNowhere(path: string): boolean {
  const file = path.replace(/(?::\d+)+$/, '');
  return !/[*?[\]{}()!]/.test(file) && !existsSync(file);
}

/** What was meant by a path that begins with @, as tags do. */
function hintOf(path: string): string {
  if (!path.startsWith('@')) return '';
  return existsSync(path.slice(1))
    ? '\nThe name of a list of failed scenarios begins with @ itself: --format rerun:@rerun.txt'
    : '\nFor scenarios with a tag: npm run acceptance -- --tags @021-US5-1';
}
