/** Findings that are worked out when they are first asked for, and then remembered. */
export class Remembered {
  readonly #known = new Map<string, Promise<unknown>>();

  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known) return known;
    const result = work();
    this.#known.set(key, result);
    return result;
  }
}
