import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { SecretMask } from '../../src/cli/masked.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { commandFolder } from './command.ts'

const YAML = `
server: { admin_token: the-admin-token }
plugins: { p: { path: ./p.js, permissions: { env: [CRM] } } }
tenants:
  acme:
    refiner: { api_key: the-api-key, webhook: { secret: "the-\\"webhook\\"-secret" } }
    segment: { write_key: the-write-key, destination_keys: [key-number-1, key-number-2], shared_secret: the-shared-secret }
    privacy: { traits: { hash: [phone], salt: the-salt-of-traits } }
    to_segment:
      plugins: [p]
      mapping:
        - { name: a, traits: { a: 'hash(user.id, "\${SALT}")', b: 'hash(user.id, "\${file:salt.txt}")' } }
`
const ENVIRONMENT = { CRM: 'the-crm-token', SALT: 'salt-of-the-house', OTHER: 'not-granted' }
const SECRETS = [
  'the-admin-token',
  'the-crm-token',
  'the-api-key',
  'the-"webhook"-secret',
  'the-write-key',
  'key-number-1',
  'key-number-2',
  'the-shared-secret',
  'salt-of-the-house',
  'salt in a file',
  'the-salt-of-traits',
]

test('masks every secret of a configuration, and all that it takes from outside', () => {
  using folder = commandFolder({
    'refiner-sync.yaml': YAML,
    'p.js': '',
    'salt.txt': 'salt in a file\n',
  })
  const loaded = loadConfiguration(join(folder.path, 'refiner-sync.yaml'), ENVIRONMENT)
  if (!loaded.ok) throw new Error(loaded.mistakes.map(({ message }) => message).join('\n'))
  const mask = new SecretMask(loaded.configuration, ENVIRONMENT)
  for (const secret of SECRETS) {
    expect(mask.text(`a ${secret} b`)).toBe('a *** b')
    expect(mask.text(JSON.stringify({ [secret]: secret }))).toBe('{"***":"***"}')
  }
  expect(mask.text('not-granted, acme, user.id')).toBe('not-granted, acme, user.id')
})
