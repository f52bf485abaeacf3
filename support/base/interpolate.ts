/** The variables that `${VAR}` refers to in a compose file. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Defaults within defaults; no sensible file has as many. */
const DEEPEST = 50;

/**
 * Replaces variables as Docker Compose does: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR-default}`,
 * `${VAR:?message}`, `${VAR?message}`, `${VAR:+other}`, `${VAR+other}`, `$$`; defaults may hold variables themselves.
 * Source: Compose specification, "Interpolation".
 *
 * @throws Error with the message of a `?` expression, or when braces are not closed, or nested more than 50 deep
 */
export function interpolate(text: string, variables: Variables): string {
  return fill(text, variables, 0);
}

function fill(text: string, variables: Variables, depth: number): string {
  if (depth > DEEPEST) throw new Error(`more than ${DEEPEST} \${…} are nested`);
  let result = '';
  let position = 0;
  while (position < text.length) {
    const dollar = text.indexOf('$', position);
    if (dollar < 0) return result + text.slice(position);
    result += text.slice(position, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      result += '$';
      position = dollar + 2;
    } else if (next === '{') {
      const end = closingBrace(text, dollar + 2);
      result += expand(text.slice(dollar + 2, end), variables, depth);
      position = end + 1;
    } else {
      const name = /^[A-Za-z_]\w*/.exec(text.slice(dollar + 1))?.[0];
      result += name ? (valueOf(name, variables) ?? '') : '$';
      position = dollar + 1 + (name?.length ?? 0);
    }
  }
  return result;
}

/** Interpolates every string in a parsed YAML value; keys stay as they are. */
export function interpolateAll(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') return interpolate(value, variables);
  if (Array.isArray(value)) return value.map((item) => interpolateAll(item, variables));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, interpolateAll(item, variables)]),
    );
  }
  return value;
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === '{' && text[index - 1] === '$') depth += 1;
    if (text[index] === '}') depth -= 1;
    if (depth === 0) return index;
  }
  throw new Error(`"${text.slice(0, 200)}" has a \${ without its }`);
}

/** Names such as `constructor`, which every object has, are no variables. */
function valueOf(name: string, variables: Variables): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined;
}

function expand(expression: string, variables: Variables, depth: number): string {
  const parts = /^([A-Za-z_]\w*)(?:(:?[-?+])(.*))?$/s.exec(expression);
  if (!parts?.[1]) throw new Error(`"\${${expression.slice(0, 200)}}" is not a variable`);
  const [, name, operator, argument = ''] = parts;
  const value = valueOf(name, variables);
  const isSet = operator?.startsWith(':')
    ? value !== undefined && value !== ''
    : value !== undefined;
  switch (operator?.at(-1)) {
    case '-':
      return isSet ? (value ?? '') : fill(argument, variables, depth + 1);
    case '+':
      return isSet ? fill(argument, variables, depth + 1) : '';
    case '?':
      if (!isSet) throw new Error(`variable ${name} is required: ${argument || 'it is not set'}`);
      return value ?? '';
    default:
      return value ?? '';
  }
}
