import { describe, expect, test } from 'bun:test'
import { type Broken, mistakesOf, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const SHAPE: readonly Broken[] = [
  ['no tenants', '¦server: { port: 1 }\n', 'missing_key', /`tenants` is missing/],
  ['empty tenants', 'tenants: ¦{}\n', 'empty_value', /`tenants` is empty/],
  [
    'a key in other casing',
    tenantFile([REFINER, SEGMENT], ['server:', '  ¦maxBody: 2MB']),
    'unknown_key',
    /mean `max_body`/,
  ],
  [
    'a key with -',
    tenantFile([REFINER, SEGMENT], ['server:', '  ¦max-body: 2MB']),
    'unknown_key',
    /mean `max_body`/,
  ],
  [
    'a key with a slip',
    tenantFile([REFINER, SEGMENT], ['server: { ¦hots: x }']),
    'unknown_key',
    /mean `host`/,
  ],
  [
    'a key like no other',
    tenantFile([REFINER, SEGMENT], ['¦logging: debug']),
    'unknown_key',
    /keys here are server,/,
  ],
  [
    'a key in the wrong place',
    tenantFile([REFINER, SEGMENT, '¦region: eu']),
    'unknown_key',
    /`region` belongs in `tenants.<name>.segment`/,
  ],
  ['a bad tenant name', `${tenantFile([REFINER, SEGMENT])}  ¦b!d: {}\n`, 'bad_tenant_name', /`b!d`/],
  [
    'a word for the port',
    tenantFile([REFINER, SEGMENT], ['server: { port: ¦http }']),
    'wrong_type',
    /from 0 to 65535/,
  ],
  [
    'the port in quotes',
    tenantFile([REFINER, SEGMENT], ['server: { port: ¦"80" }']),
    'wrong_type',
    /remove the quotes/,
  ],
  ['a port too high', tenantFile([REFINER, SEGMENT], ['server: { port: ¦65536 }']), 'out_of_range', /65535/],
  ['yes for true', tenantFile([REFINER, SEGMENT, 'enabled: ¦yes']), 'wrong_type', /write `true`/],
  ['a text for a mapping', tenantFile([REFINER, 'segment: ¦none']), 'wrong_type', /a mapping, not a text/],
  [
    'a lost space',
    tenantFile([REFINER, 'segment:', '  ¦write_key:abc']),
    'wrong_type',
    /space after `write_key:`/,
  ],
  [
    'a list for a mapping',
    tenantFile([SEGMENT, 'refiner:', '  ¦- x']),
    'wrong_type',
    /a mapping, not a list/,
  ],
  [
    'a text for a list',
    tenantFile([REFINER, 'segment: { write_key: k, destination_keys: ¦d }']),
    'wrong_type',
    /in brackets/,
  ],
  ['nothing for a mapping', tenantFile([REFINER, SEGMENT, '¦to_refiner:']), 'empty_value', /is empty/],
  [
    'an empty event name',
    tenantFile([REFINER, SEGMENT, 'to_segment: { events: { seen: ¦"" } }']),
    'empty_value',
    /text or null/,
  ],
  [
    'a number for an event',
    tenantFile([REFINER, SEGMENT, 'to_segment: { events: { seen: ¦7 } }']),
    'wrong_type',
    /in quotes/,
  ],
  [
    'an unknown region',
    tenantFile([REFINER, 'segment: { write_key: k, destination_keys: [d], region: ¦us1 }']),
    'not_one_of',
    /us, eu/,
  ],
  [
    'a choice with a slip',
    tenantFile([REFINER, SEGMENT, 'to_segment: { anonymous: ¦emial }']),
    'not_one_of',
    /mean `email`/,
  ],
  [
    'an unknown call',
    tenantFile([REFINER, SEGMENT, 'to_segment: { calls: [track, ¦page] }']),
    'not_one_of',
    /identify, group, track/,
  ],
  [
    'a call twice',
    tenantFile([REFINER, SEGMENT, 'to_segment: { calls: [track, ¦track] }']),
    'duplicate_item',
    /listed before/,
  ],
  [
    'a duration in words',
    tenantFile([REFINER, SEGMENT], ['delivery: { timeout: ¦10 sec }']),
    'bad_duration',
    /mean `10s`/,
  ],
  [
    'a duration without unit',
    tenantFile([REFINER, SEGMENT], ['delivery: { timeout: ¦30 }']),
    'bad_duration',
    /mean `30s`/,
  ],
  [
    'a size in small letters',
    tenantFile([REFINER, SEGMENT], ['server: { max_body: ¦2mb }']),
    'bad_size',
    /mean `2MB`/,
  ],
  [
    'a rate in words',
    tenantFile([
      SEGMENT,
      'refiner:',
      '  api_key: k',
      '  webhook: { secret: w }',
      '  rate_limit: ¦5 per minute',
    ]),
    'bad_rate',
    /mean `5\/m`/,
  ],
  [
    'a bare database path',
    tenantFile([REFINER, SEGMENT], ['database: ¦./x.db']),
    'bad_database',
    /`sqlite:\/\/`/,
  ],
  [
    'another database',
    tenantFile([REFINER, SEGMENT], ['database: ¦postgres://host/x']),
    'bad_database',
    /SQLite/,
  ],
  [
    'a secret of digits',
    tenantFile([REFINER, 'segment: { write_key: ¦123456789012, destination_keys: [d] }']),
    'unquoted_secret',
    /put it in quotes/,
  ],
  [
    'an empty secret',
    tenantFile([REFINER, 'segment: { write_key: ¦"", destination_keys: [d] }']),
    'empty_value',
    /write_key/,
  ],
  [
    'a webhook without secret',
    tenantFile([SEGMENT, 'refiner: { api_key: k, ¦webhook: { in: query } }']),
    'missing_key',
    /webhook.secret/,
  ],
]

describe('a wrong key or value is told once, where it is, with what would be right', () => {
  test.each(SHAPE)('%s', (_what, file, code, says) => {
    const { text, line, column } = unmarked(file)
    const mistakes = mistakesOf(text)
    expect(mistakes.map((mistake) => [mistake.code, mistake.line, mistake.column])).toEqual([
      [code, line, column],
    ])
    expect(`${mistakes[0]?.message} ${mistakes[0]?.hint}`).toMatch(says)
  })
})

test.each<[what: string, file: string, hint: string]>([
  ['no tenants', 'tenants: {}\n', 'give it a value'],
  ['a write key', tenantFile([REFINER, 'segment: { write_key: , shared_secret: s }']), 'give it a value'],
  ['a port', tenantFile([REFINER, SEGMENT], ['server: { port: }']), 'give it a value, or remove the line'],
])('nobody is told to remove what is needed: %s', (_, text, hint) => {
  expect(mistakesOf(text).map((mistake) => mistake.hint)).toEqual([hint])
})
