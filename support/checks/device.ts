/** What the STS runs on, as its composition configures it: what a service says of itself is no evidence. */
import { CannotBeShown } from '../base/errors';
import type { ComposeFile } from '../environment/compose-file';
import { allRight } from './builders';
import { criterion } from './criterion';

/** A service of a composition. */
export interface Configured {
  compose: ComposeFile;
  name: string;
}

function whereOf({ compose }: Configured): string {
  return compose.files.join(', ');
}

/** DEVICE is the variable of spec 019's table for the STS. */
export const cpuAlone = criterion<Configured, { devices: string[]; hasGpu: boolean }, null>({
  id: 'cpu-alone',
  title: 'The STS is configured to run on the CPU alone',
  failure: 'the STS is configured to run on more than the CPU',
  where: whereOf,
  measure: (configured) => {
    const { compose, name } = configured;
    const service = compose.services.find((one) => one.name === name);
    const given = [service?.environment, service?.host?.environment];
    const devices = given.flatMap((environment) => environment?.['DEVICE'] ?? []);
    const hasGpu = service?.reservesGpu ?? false;
    if (devices.length > 0 || hasGpu) return { devices, hasGpu };
    throw new CannotBeShown({
      ...{ what: 'what the STS runs on is not configured', where: whereOf(configured) },
      ...{ seen: `no variable DEVICE of ${name}`, expected: 'DEVICE: cpu' },
    });
  },
  assess: ({ devices, hasGpu }) => {
    const other = devices.filter((device) => device !== 'cpu').map((one) => `DEVICE: ${one}`);
    const gpu = hasGpu ? ['a GPU is reserved for it'] : [];
    return allRight([...other, ...gpu], 'DEVICE: cpu', 'DEVICE: cpu, and no GPU reserved');
  },
  next: () => 'start the suite without DEVICE, or with DEVICE=cpu',
});
