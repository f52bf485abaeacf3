/** Where streams are at the media server: paths with `{stream}` in them (acceptance.yaml, services.mediaServer.paths). */
export interface StreamPaths {
  /** Where a broadcast is published. */
  input: string;
  /** Where media-service publishes it dubbed. */
  output: string;
}

/** The path of a stream. */
export function pathOf(pattern: string, stream: string): string {
  return pattern.replaceAll('{stream}', stream);
}

/** Whether a name is that of the stream: the stream itself, or a path that has it in it, as `live/{stream}/in` has. */
export function isNameOf(stream: string, name: string): boolean {
  return name.split('/').includes(stream);
}

/** The stream of a path; undefined where it is no such path. */
export function streamIn(pattern: string, path: string): string | undefined {
  const [before = '', after = ''] = pattern.split('{stream}');
  const isOne = path.startsWith(before) && path.endsWith(after);
  const stream = path.slice(before.length, path.length - after.length);
  return isOne && stream !== '' ? stream : undefined;
}
