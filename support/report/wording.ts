/** A failure's message as people read it: without the class of the error, and without where in the code it was thrown. */
export function shownMessage(message: string): string {
  return message
    .split('\n')
    .filter((line) => !/^\s+at .*(?::\d+:\d+\)?|<anonymous>\)?|\[as \w+\]\)?)$/.test(line))
    .join('\n')
    .replace(/^(?:Error|[A-Z]\w*(?:Error|Expected|Observed|Missing))(?: \[\w+\])?: /, '')
    .trim();
}

/** How long something took: `0.4 s`, `12 s`, `6 min 32 s`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const rest = whole % 60;
  return rest === 0 ? `${Math.floor(whole / 60)} min` : `${Math.floor(whole / 60)} min ${rest} s`;
}

/** `1 scenario`, `2 scenarios`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
