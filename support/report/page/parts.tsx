/** What the sections of a broadcast's page share. */
import { createContext, type RenderableProps, type VNode } from 'preact';
import { useContext } from 'preact/hooks';

import { safeText } from '../../base/safe-text';
import type { BroadcastFacts } from '../facts';

/** From the page to the evidence folder: empty, or a relative URL that ends in a slash. */
export const EvidenceUrl = createContext('');

/** The relative URL of a file of the evidence folder. */
export function useEvidence(file: string): string {
  return useContext(EvidenceUrl) + file.split('/').map(encodeURIComponent).join('/');
}

/** A link to a file of the evidence folder. */
export function EvidenceLink(parts: RenderableProps<{ file: string; label?: string }>): VNode {
  return (
    <a href={useEvidence(parts.file)} aria-label={parts.label}>
      {parts.children}
    </a>
  );
}

/** The content, or what is said where the list is empty. */
export function some(list: readonly unknown[], otherwise: string, content: () => VNode): VNode {
  return list.length > 0 ? content() : <p class="faint">{otherwise}</p>;
}

export function Missing({ facts, name }: { facts: BroadcastFacts; name: string }): VNode {
  return <p class="faint">{safeText(facts.missing[name] ?? 'Not measured.')}</p>;
}

/** A chart that is scrolled sideways where it is wider than the page. */
export function ChartBox({ label, children }: RenderableProps<{ label: string }>): VNode {
  return (
    <div class="chart-box" role="region" aria-label={`Chart: ${label}`} tabindex={0}>
      {children}
    </div>
  );
}

/** A list that is folded, with its length; nothing where it is empty. */
export function folded(
  list: readonly unknown[],
  summary: string,
  content: () => VNode,
): VNode | null {
  if (list.length === 0) return null;
  return (
    <details>
      <summary>{summary}</summary>
      {content()}
    </details>
  );
}
