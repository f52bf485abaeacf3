import { formatterHelpers, SummaryFormatter, type IFormatterOptions } from '@cucumber/cucumber';
import type { Envelope, TestCaseFinished } from '@cucumber/messages';

import { noteEnvelope } from '../planned-scenarios';
import { SKIP_REASON } from './scenario-results';

const MARKS: Record<string, string> = { PASSED: '✔', SKIPPED: '↷' };

/** One line for each scenario as it ends, and the failures with all they have to say at the end. */
export class LiveFormatter extends SummaryFormatter {
  constructor(options: IFormatterOptions) {
    super(options);
    options.eventBroadcaster.on('envelope', (envelope: Envelope) => {
      noteEnvelope(envelope);
      if (envelope.testCaseFinished) this.#logScenario(envelope.testCaseFinished);
    });
  }

  #logScenario({ testCaseStartedId }: TestCaseFinished): void {
    const attempt = this.eventDataCollector.getTestCaseAttempt(testCaseStartedId);
    const { pickle, worstTestStepResult, stepAttachments } = attempt;
    const steps = formatterHelpers.parseTestCaseAttempt({
      ...{ cwd: this.cwd, snippetBuilder: this.snippetBuilder },
      ...{ supportCodeLibrary: this.supportCodeLibrary, testCaseAttempt: attempt },
    }).testSteps;
    const seconds = steps.reduce((sum, { result }) => {
      return sum + result.duration.seconds + result.duration.nanos / 1e9;
    }, 0);
    const reason = Object.values(stepAttachments)
      .flat()
      .find((attachment) => attachment.fileName === SKIP_REASON);
    const status = worstTestStepResult.status;
    const ids = pickle.tags.map(({ name }) => name).filter((name) => /^@\d{3}-/.test(name));
    const why = reason ? ` (skipped: ${decode(reason).split('\n')[0]})` : '';
    const clear = process.stderr.isTTY ? '\x1b[2K' : '';
    this.log(
      `${clear}${MARKS[status] ?? '✘'} ${ids.join(' ').replaceAll('@', '')} ${pickle.name} ` +
        `(${seconds.toFixed(1)} s)${why}\n`,
    );
  }
}

function decode({ body, contentEncoding }: { body: string; contentEncoding: string }): string {
  return contentEncoding === 'BASE64' ? Buffer.from(body, 'base64').toString() : body;
}
