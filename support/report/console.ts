import type { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { styleText } from 'node:util';

import type { Format } from './end-of-run';

/** Where the suite's own lines go. */
export interface Console {
  write: (text: string) => void;
  /** In colour where the stream is a terminal; Node goes by NO_COLOR and FORCE_COLOR. */
  paint: (format: Format, text: string) => string;
  /** A path that a terminal opens by a click (OSC 8); the path alone elsewhere. */
  link: (path: string) => string;
}

let stdout: Console | undefined;

/** What cucumber-js tells a formatter that is a plugin. */
interface FormatterContext {
  stream: Writable;
  options: { colorsEnabled?: boolean };
}

/**
 * The formatter of the console. It writes nothing: it says that no other format was asked for on stdout, which is then
 * free for the lines of the suite (support/plugin.ts).
 */
export const consoleFormatter = {
  type: 'formatter',
  formatter: ({ stream, options }: FormatterContext): void => {
    stdout = consoleOn(stream, options.colorsEnabled);
  },
};

/** Stdout; stderr where another format is written to stdout. To be asked when formatters have been made. */
export function consoleOr(stderr: Writable): Console {
  return stdout ?? consoleOn(stderr);
}

function consoleOn(stream: Writable, hasColours = true): Console {
  return {
    write: (text) => void stream.write(text),
    paint: (format, text) =>
      hasColours ? styleText(format, text, { stream, validateStream: true }) : text,
    link: (path) => {
      if (!hasColours || !('isTTY' in stream) || stream.isTTY !== true) return path;
      return `\u001b]8;;${pathToFileURL(path).href}\u001b\\${path}\u001b]8;;\u001b\\`;
    },
  };
}
