/** A copy of which some values are others; it keeps its class. */
export function changed<T extends object>(one: T, values: { [Key in keyof T]?: unknown }): T {
  const copy = Object.create(Object.getPrototypeOf(one) as object) as T;
  return Object.assign(copy, one, values);
}
