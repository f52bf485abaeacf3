/** `npm run contract`: writes docs/contract.md from support/contract/. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readCommandLine } from '../support/base/command-line';
import { contractPage } from './contract-page';

readCommandLine('usage: npm run contract', {});
const file = join(__dirname, '../docs/contract.md');
void contractPage().then((page) => writeFileSync(file, page));
