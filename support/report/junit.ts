import junit from '@cucumber/junit-xml-formatter';
import type { Envelope } from '@cucumber/messages';

import { changed } from '../base/changed';
import { NOT_SHOWN_REASON, SKIP_REASON, textOf } from './scenario-results';

type Context = Parameters<typeof junit.formatter>[0];

/** The JUnit formatter of Cucumber; of what was skipped or is not shown, its file says why: `<skipped message="…">`. */
export const junitFormatter = {
  ...junit,
  formatter: (context: Context): void => {
    const withReason = reasonAdder();
    junit.formatter({
      ...context,
      on: (event, handle) => context.on(event, (envelope) => handle(withReason(envelope))),
      write: (xml) => context.write(withMessages(xml)),
    });
  },
};

/** Skipped steps get the reason that their scenario gives, as the stack of an error: that is written. */
function reasonAdder(): (envelope: Envelope) => Envelope {
  const reasons = new Map<string, string>();
  return (envelope) => {
    const { attachment, testStepFinished: ended } = envelope;
    const { fileName = '', testCaseStartedId: attempt } = attachment ?? {};
    if (attachment && attempt && [SKIP_REASON, NOT_SHOWN_REASON].includes(fileName)) {
      const word = fileName === NOT_SHOWN_REASON ? 'not shown' : 'skipped';
      if (!reasons.has(attempt)) reasons.set(attempt, `${word}: ${textOf(attachment)}`);
    }
    const stackTrace = ended && reasons.get(ended.testCaseStartedId);
    if (!ended || stackTrace === undefined) return envelope;
    const { testStepResult: result } = ended;
    if ((result.status as string) !== 'SKIPPED') return envelope;
    const testStepResult = changed(result, { exception: { type: 'Skipped', stackTrace } });
    return changed(envelope, { testStepFinished: changed(ended, { testStepResult }) });
  };
}

const NAMED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The first line of each reason as the message, too. */
function withMessages(xml: string): string {
  return xml.replace(/<skipped>(\s*<!\[CDATA\[)(.*)/g, (_all, cdata: string, rest: string) => {
    const [said = ''] = rest.split(']]>');
    const message = said.replace(/[&<>"]/g, (character) => NAMED[character] ?? '');
    return `<skipped message="${message}">${cdata}${rest}`;
  });
}
