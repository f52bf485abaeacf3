/** `npm run contract`: writes docs/contract.md from support/contract/. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { contractPage } from './contract-page';

const file = join(__dirname, '../docs/contract.md');
void contractPage().then((page) => writeFileSync(file, page));
