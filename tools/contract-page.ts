/** The page that says what the contract is, made of its schemas. */
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';
import { z } from 'zod';

import { type ContractEvent, EVENTS } from '../support/contract/contract';
import { ERROR_CODES } from '../support/contract/error-codes';
import {
  DEFAULT_MAX_INFLIGHT,
  DEFAULT_TIMEOUT_MS,
  TIMEOUT_RANGE_MS,
} from '../support/contract/limits';
import { VARIANTS } from '../support/contract/variants';

/** What is used here of a schema in JSON Schema. */
interface Field {
  description?: string;
  type?: string;
  enum?: unknown[];
  anyOf?: Field[];
  items?: Field;
  properties?: Record<string, Field>;
  required?: string[];
}

const INTRODUCTION = `# The contract

What media-service (its worker) and the STS say to each other, by Socket.IO on one WebSocket connection for each stream, with the
headers \`X-Stream-ID\` and \`X-Worker-ID\` where the worker sends them. It is that of specs 016 to 021. The suite judges services
by this page alone; it is made of \`support/contract/\` by \`npm run contract\`. Words are explained in the
[Glossary](glossary.md).

- [Variants](#variants)
- [Events](#events)
- [Error codes](#error-codes)
- [Defaults](#defaults)`;

/**
 * docs/contract.md, formatted as all pages are.
 *
 * @returns its text
 */
export async function contractPage(): Promise<string> {
  const page = [
    INTRODUCTION,
    '## Variants',
    'All of these conform, and no check fails a service for one of them.',
    table(
      ['of', 'accepted'],
      VARIANTS.map(({ of, accepted }) => [of, accepted]),
    ),
    '## Events',
    'An event says all fields that are not optional, and may say more.',
    ...EVENTS.flatMap(sectionOf),
    '## Error codes',
    'Only retryable ones count for the breaker of a worker.',
    table(
      ['code', 'retryable', 'means'],
      Object.entries(ERROR_CODES).map(([code, { retryable, means }]) => [
        ...[`\`${code}\``, retryable ? 'yes' : 'no', means],
      ]),
    ),
    '## Defaults',
    table(
      ['where it is not said', 'holds'],
      [
        ['`max_inflight`', String(DEFAULT_MAX_INFLIGHT)],
        ['`timeout_ms`', `${DEFAULT_TIMEOUT_MS}; where it is said, ${range()}`],
      ],
    ),
  ].join('\n\n');
  const options = await resolveConfig(join(__dirname, '../docs/contract.md'));
  return format(page, { ...options, parser: 'markdown' });
}

const range = (): string => `${TIMEOUT_RANGE_MS.least} to ${TIMEOUT_RANGE_MS.most}`;

function sectionOf({ name, from, says, payload }: ContractEvent): string[] {
  const schema = z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' }) as Field;
  return [
    `### \`${name}\``,
    `From ${from === 'both' ? 'both sides' : `${from === 'any client' ? '' : 'the '}${from}`}. ${says}`,
    table(['field', 'type', '', 'means'], rowsOf(schema)),
  ];
}

/** A row for each field, those of objects and of lists of them below it. */
function rowsOf({ properties = {}, required = [] }: Field, prefix = ''): string[][] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const need = required.includes(name) ? '' : 'optional';
    const forms = formsOf(field);
    const inner = forms.find(({ properties: some }) => some);
    const means = forms.find(({ description }) => description !== undefined)?.description ?? '';
    return [
      [`\`${path}\``, typeOf(field), need, means],
      ...(inner ? rowsOf(inner, `${path}.`) : []),
      ...(field.items ? rowsOf(field.items, `${path}[].`) : []),
    ];
  });
}

/** A field that may have several forms, and each of them. */
function formsOf(field: Field): Field[] {
  return [field, ...(field.anyOf ?? []).flatMap(formsOf)];
}

function typeOf({ type, enum: values, anyOf }: Field): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  return type ?? 'any';
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
