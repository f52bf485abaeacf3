import { join } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { readYamlFile } from '../base/yaml-file';

const id = z.string().regex(/^\d{3}-\S+$/, 'an ID, as in a tag of a scenario: 021-US2-5');
const criterion = z.string().regex(/^[a-z]+(-[a-z]+)*$/, 'the ID of a criterion: av-offset');
const criteria = z.union([criterion, z.array(criterion).nonempty()]);

/** How it is known that a sentence holds, as the head of requirements.yaml describes it. */
const basisSchema = z.union([
  criteria.transform((by): ByScenarios => ({ by: [by].flat() })),
  z
    .strictObject({ in: z.string().min(1), by: criteria })
    .transform((one): ByScenarios => ({ in: one.in, by: [one.by].flat() })),
  z.strictObject({ step: z.string().min(1) }),
  z.strictObject({ soak: z.strictObject({ runs: z.int().min(2), percent: z.number() }) }),
  z.strictObject({ soak: z.strictObject({ runs: z.int().min(1), underSeconds: z.number() }) }),
  z.strictObject({ notShownBy: z.string().min(1) }),
]);

const requirementSchema = z.strictObject({
  text: z.string().min(1),
  sentences: z
    .record(z.string().min(1), basisSchema)
    .refine((sentences) => Object.keys(sentences).length > 0, 'one sentence or more'),
});

const fileSchema = z.strictObject({
  specs: z.array(
    z.strictObject({
      spec: z.string(),
      title: z.string().min(1),
      requirements: z.array(
        z.strictObject({
          priority: z.enum(['P1', 'P2', 'P3']).exactOptional(),
          must: z.record(id, requirementSchema),
        }),
      ),
    }),
  ),
});

/** All these criteria were judged by scenarios of the requirement; by those that have the step or name `in`, where given. */
export interface ByScenarios {
  by: string[];
  in?: string;
}

/** How it is known that a sentence holds. `step`: by that step. `soak`: by repeated runs. `notShownBy`: by nothing, and why. */
export type Basis = z.output<typeof basisSchema>;

/** One thing of a requirement that must hold. */
export interface Sentence {
  text: string;
  basis: Basis;
}

export interface Requirement {
  id: string;
  /** Not there where the spec gives none. */
  priority?: 'P1' | 'P2' | 'P3' | undefined;
  /** What product asks for, in short. */
  text: string;
  /** Everything that must hold; each is judged by itself. None of IDs that only scenarios know. */
  sentences: Sentence[];
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
      Object.entries(must).map(([id, { text, sentences }]) => ({
        ...{ id, text, priority },
        sentences: Object.entries(sentences).map(([text, basis]) => ({ text, basis })),
      })),
    ),
  }));
  for (const { spec, requirements } of specs) {
    const stray = requirements.find(({ id }) => !isOfSpec(id, spec));
    if (!stray) continue;
    throw new SuiteError({
      ...{ what: 'a requirement stands under another spec than its own', where: yaml.shown },
      ...{ seen: `${stray.id} under ${spec}`, expected: `IDs that begin ${spec}-` },
    });
  }
  return specs;
}

/** Whether a requirement is one of a spec: 019-US1-1 of 019. */
export function isOfSpec(id: string, spec: string): boolean {
  return id.startsWith(`${spec}-`);
}
