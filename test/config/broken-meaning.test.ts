import { describe, expect, test } from 'bun:test'
import { type Broken, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const MEANING: readonly Broken[] = [
  [
    'no write key',
    tenantFile([REFINER, '¦segment: { destination_keys: [d] }']),
    'missing_key',
    /segment\.write_key/,
  ],
  [
    'no webhook',
    tenantFile(['¦refiner: { api_key: k }', SEGMENT]),
    'missing_key',
    /to_segment: \{ enabled: false \}/,
  ],
  [
    'no api key',
    tenantFile(['¦refiner: { webhook: { secret: w } }', SEGMENT]),
    'missing_key',
    /refiner\.api_key/,
  ],
  [
    'no inbound key',
    tenantFile([REFINER, '¦segment: { write_key: k }']),
    'missing_key',
    /destination_keys` or `segment\.shared_secret/,
  ],
  [
    'no inbound key in the list',
    tenantFile([REFINER, '¦segment: { write_key: k, destination_keys: [] }']),
    'missing_key',
    /to_refiner/,
  ],
  [
    'a destination key of two tenants',
    `${tenantFile([REFINER, SEGMENT])}  beta:\n    ${REFINER}\n    segment: { write_key: k, destination_keys: [own, ¦the-inbound-key-of-acme] }\n`,
    'duplicate_destination_key',
    /tenant `acme`/,
  ],
  [
    'a destination key twice',
    tenantFile([REFINER, 'segment: { write_key: k, destination_keys: [d, ¦d] }']),
    'duplicate_destination_key',
    /listed twice/,
  ],
  [
    'a destination key with a colon',
    tenantFile([REFINER, 'segment: { write_key: k, destination_keys: [¦"a:b"] }']),
    'bad_secret',
    /Basic/,
  ],
  [
    'a secret with a line break',
    tenantFile([REFINER, 'segment: { write_key: ¦"a\\nb", destination_keys: [d] }']),
    'bad_secret',
    /line break/,
  ],
  [
    'a secret in curly quotes',
    tenantFile([REFINER, 'segment: { write_key: ¦“abc”, destination_keys: [d] }']),
    'bad_secret',
    /curly/,
  ],
  [
    'region and endpoint',
    tenantFile([
      REFINER,
      'segment:',
      '  write_key: k',
      '  destination_keys: [d]',
      '  region: eu',
      '  ¦endpoint: https://x.example',
    ]),
    'region_and_endpoint',
    /keep one/,
  ],
  ...['localhost:8080', 'ftp://x.example', '/v1'].map((url) => badEndpoint(url, /https:\/\//)),
  badEndpoint('https://me:pw@x.example', /password/),
  badEndpoint('https://x.example/v1?a=b', /query/),
  badEndpoint('https://x.example/v1#a', /fragment/),
  [
    'a name for bearer',
    tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: w, ¦name: X-Key } }']),
    'pointless_webhook_setting',
    /header, query or hmac/,
  ],
  [
    'an algorithm for query',
    tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: w, in: query, ¦algorithm: sha1 } }']),
    'pointless_webhook_setting',
    /hmac/,
  ],
  [
    'a header with a space',
    tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: w, in: header, name: ¦X Key } }']),
    'bad_webhook_name',
    /header/,
  ],
  [
    'backoffs crossed',
    tenantFile([REFINER, SEGMENT], ['delivery: { min_backoff: 2m, max_backoff: ¦1m }']),
    'backoff_order',
    /longer/,
  ],
  [
    'a backoff above the default',
    tenantFile([REFINER, SEGMENT], ['delivery: { min_backoff: ¦2h }']),
    'backoff_order',
    /1s and 1h/,
  ],
  ['no time', tenantFile([REFINER, SEGMENT], ['delivery: { timeout: ¦0s }']), 'out_of_range', /from 1ms/],
  [
    'a time that timers overflow',
    tenantFile([REFINER, SEGMENT], ['delivery: { max_backoff: ¦30d }']),
    'out_of_range',
    /to 1d/,
  ],
  ['no body', tenantFile([REFINER, SEGMENT], ['server: { max_body: ¦0KB }']), 'out_of_range', /from 1B/],
  [
    'no requests',
    tenantFile([REFINER, 'segment: { write_key: k, destination_keys: [d], rate_limit: ¦0/s }']),
    'out_of_range',
    /1\/h/,
  ],
  [
    'a database in memory',
    tenantFile([REFINER, SEGMENT], ['database: ¦"sqlite://:memory:"']),
    'bad_database',
    /file/,
  ],
]

function badEndpoint(url: string, says: RegExp): Broken {
  const file = tenantFile([SEGMENT, `refiner: { api_key: k, webhook: { secret: w }, endpoint: ¦"${url}" }`])
  return [`the endpoint ${url}`, file, 'bad_endpoint', says]
}

describe('what the schema cannot say is told once, where it is, with what would be right', () => {
  test.each(MEANING)('%s', (_what, file, code, says) => {
    const { text, line, column } = unmarked(file)
    const mistakes = mistakesOf(text)
    expect(mistakes.map((mistake) => [mistake.code, mistake.line, mistake.column])).toEqual([
      [code, line, column],
    ])
    expect(`${mistakes[0]?.message} ${mistakes[0]?.hint}`).toMatch(says)
  })
})
