import { expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readServerAddress } from '../../src/config/server-address.ts'
import { temporaryFolder } from './temporary-folder.ts'

const DEFAULT = { host: '127.0.0.1', port: 8787 }
const SET = { host: '::1', port: 4000 }

test.each<[what: string, text: string, address: { host: string; port: number }]>([
  ['both', 'server: { host: "::1", port: 4000 }', SET],
  ['from the environment', 'server: { host: "${HOST}", port: "${PORT}" }', SET],
  ['one of the two', 'server:\n  port: 4000\n', { ...DEFAULT, port: 4000 }],
  ['through an alias', 'tests: [&a 4000]\nserver: { port: *a }', { ...DEFAULT, port: 4000 }],
  ['beside secrets that are not set', 'server: { host: "::1", port: 4000, admin_token: "${NOT_SET}" }', SET],
  ['before broken YAML', 'server:\n  host: "::1"\n  port: 4000\ntenants: { a: ${X}, b: "', SET],
  ['neither', 'tenants: {}', DEFAULT],
  ['an unset variable', 'server: { host: "${NOT_SET}", port: "${NOT_SET}" }', DEFAULT],
  ['a reference without quotes', 'server: { host: ${HOST}, port: 4000 }', DEFAULT],
  ['values of other kinds', 'server: { host: 7, port: http }', DEFAULT],
  ['a port out of range', 'server: { port: 70000 }', DEFAULT],
  ['a value over two lines', 'server:\n  host: a\n    port:1\n', DEFAULT],
  ['an open quote', 'server:\n  host: "a\n', DEFAULT],
  ['an alias of nothing', 'server: { host: *a, port: *b }', DEFAULT],
  ['a list', 'server: [host]', DEFAULT],
  ['a word', 'server', DEFAULT],
  ['nothing', '', DEFAULT],
  ['endless nesting', '['.repeat(20_000), DEFAULT],
])('the address of the daemon is read whatever else is in the file: %s', (_, text, address) => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'refiner-sync.yaml')
  writeFileSync(file, text)
  expect(readServerAddress(file, { HOST: '::1', PORT: '4000' })).toEqual(address)
})

test('a file that is not there has the defaults', () => {
  expect(readServerAddress('/no/such/file', {})).toEqual(DEFAULT)
})
