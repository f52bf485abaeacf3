import type { Pickle } from '@cucumber/messages';

/** A scenario of one step. */
export function scenario(name: string, step: string, ...tags: string[]): { pickle: Pickle } {
  const pickle: unknown = {
    ...{ id: name, name, tags: tags.map((tag) => ({ name: tag })) },
    steps: [{ text: step }],
  };
  return { pickle: pickle as Pickle };
}
