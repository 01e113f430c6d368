import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'

/** The product's own example, test/fixtures/product.yaml, needs these beside it. */
const FILES = {
  'plugins/nps-category.ts':
    'export default { name: "nps-category", transform: (_, messages) => messages }\n',
  'config/samples/nps.json': '{}\n',
}

export const FIXTURES = join(import.meta.dir, '..', 'fixtures')

/** The variables that it needs. */
export const PRODUCT_VARIABLES = {
  REFINER_SYNC_ADMIN_TOKEN: 'admin-token-for-all',
  ACME_REFINER_API_KEY: 'api',
  ACME_REFINER_WEBHOOK_SECRET: 'webhook-secret-of-acme',
  ACME_SEGMENT_WRITE_KEY: 'write',
  ACME_SEGMENT_SHARED_SECRET: 'shared-secret-of-acme',
  ACME_DESTINATION_KEY: 'destination-key-of-acme',
}

/** A folder with what the product's example names, for a configuration to stand in. */
export function productFolder(more: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder()
  for (const [name, content] of Object.entries({ ...FILES, ...more })) {
    const path = join(folder.path, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
  }
  return folder
}
