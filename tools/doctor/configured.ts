/** What can be said of the configuration before any service is asked. */
import { readFileSync } from 'node:fs';

import { shownPath } from '../../support/base/yaml-file';
import type { Settings } from '../../support/config';
import type { Session } from '../../support/session/session';
import { asking, type Line, ok } from './line';

/** The compose files of the two compositions, as a run checks them before it starts anything. */
export function composeFiles(session: Session): Promise<Line[]> {
  return asking('compose files', async () => {
    const { sts, media } = await session.composeManager();
    return [...new Set([sts, media])].map(({ name, compose }) => {
      const services = compose.services.map((service) => service.name).join(', ');
      return ok(
        'compose files',
        `${name}: ${compose.files.map(shownPath).join(', ')}: ${services}`,
      );
    });
  });
}

/**
 * The variables by which published ports are set: second sets of services get ports of their own by them.
 *
 * @param file the configuration that is used, as it is shown
 */
export async function portVariables(settings: Settings, file: string): Promise<Line[]> {
  const { compositions, ports } = settings;
  const files = Object.values(compositions).flatMap((one) =>
    typeof one === 'object' ? one.files : [],
  );
  return asking('port variables', async () => {
    const texts = [...new Set(files)].map((path) => readFileSync(path, 'utf8')).join('\n');
    const unused = Object.keys(ports).filter((name) => !new RegExp(`\\$\\{${name}\\b`).test(texts));
    if (unused.length === 0) return [ok('port variables', Object.keys(ports).join(', '))];
    return [
      {
        ...{ topic: 'port variables', state: 'missing' },
        text: `no compose file publishes a port by ${unused.join(', ')}`,
        next: `write the port as a variable (\${${unused[0]}:-${ports[unused[0] ?? '']}}), or take it out of ports: in ${file}`,
      },
    ];
  });
}
