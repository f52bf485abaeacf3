import { join } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { readYamlFile } from '../base/yaml-file';

const id = z.string().regex(/^\d{3}-\S+$/, 'an ID, as in a tag of a scenario: 021-US2-5');

const fileSchema = z.strictObject({
  specs: z.array(
    z.strictObject({
      spec: z.string(),
      title: z.string().min(1),
      requirements: z.array(
        z.strictObject({
          priority: z.enum(['P1', 'P2', 'P3']).exactOptional(),
          must: z.record(id, z.string().min(1)),
        }),
      ),
    }),
  ),
});

export interface Requirement {
  id: string;
  /** Not there where the spec gives none. */
  priority?: 'P1' | 'P2' | 'P3' | undefined;
  /** What product asks for, in one sentence. */
  text: string;
}

export interface Spec {
  /** Its number: 021. */
  spec: string;
  title: string;
  requirements: Requirement[];
}

/**
 * Reads the requirements of all specs.
 *
 * @throws SuiteError naming file and line, when it is not what it should be
 */
export function readRequirements(file = join(__dirname, 'requirements.yaml')): Spec[] {
  const yaml = readYamlFile(file, 'list of requirements');
  const parsed = fileSchema.safeParse(yaml.values);
  if (!parsed.success) {
    const { path = [], message: expected = '' } = parsed.error.issues[0] ?? {};
    const keys = path.map(String);
    const where = yaml.placeOf(keys).place;
    throw new SuiteError({
      ...{ what: 'the list of requirements is not valid', where, seen: keys.join('.'), expected },
    });
  }
  const specs = parsed.data.specs.map(({ spec, title, requirements }) => ({
    ...{ spec, title },
    requirements: requirements.flatMap(({ priority, must }) =>
      Object.entries(must).map(([id, text]) => ({ id, text, priority })),
    ),
  }));
  for (const { spec, requirements } of specs) {
    const stray = requirements.find(({ id }) => !id.startsWith(`${spec}-`));
    if (!stray) continue;
    throw new SuiteError({
      ...{ what: 'a requirement stands under another spec than its own', where: yaml.shown },
      ...{ seen: `${stray.id} under ${spec}`, expected: `IDs that begin ${spec}-` },
    });
  }
  return specs;
}
