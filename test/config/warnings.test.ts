import { expect, test } from 'bun:test'
import type { MistakeCode } from '../../src/config/mistake.ts'
import { accepted, mistakesOf, read, REFINER, SEGMENT, tenantFile, unmarked } from './marked-file.ts'

const REFINER_AT = (endpoint: string) =>
  `refiner: { api_key: k, webhook: { secret: w }, endpoint: ¦"${endpoint}" }`

test.each<[what: string, file: string, code: MistakeCode]>([
  [
    'giving up before three days',
    tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: ¦71h }']),
    'short_give_up',
  ],
  ['keys sent unencrypted', tenantFile([SEGMENT, REFINER_AT('http://refiner.example')]), 'insecure_endpoint'],
  [
    'polling',
    tenantFile([SEGMENT, 'refiner: { api_key: k, webhook: { secret: w }, ¦poll: 5m }']),
    'no_effect',
  ],
  ['deletion in Refiner', tenantFile([REFINER, SEGMENT, 'to_refiner: { ¦delete: true }']), 'no_effect'],
  ['retention', tenantFile([REFINER, SEGMENT], ['¦retention: { delivered: 30d }']), 'no_effect'],
  ['plugins', tenantFile([REFINER, SEGMENT], ['¦plugins: { nps: { path: ./nps.ts } }']), 'no_effect'],
  ['tests', tenantFile([REFINER, SEGMENT], ['¦tests: [{ name: x }]']), 'no_effect'],
])('%s is accepted with a warning in its place', (_, file, code) => {
  const { text, line, column } = unmarked(file)
  const { warnings } = accepted(text)
  expect(warnings.map((it) => [it.severity, it.code, it.line, it.column])).toEqual([
    ['warning', code, line, column],
  ])
})

const PRIVATE = ['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'https://refiner.example']

const HARMLESS: readonly (readonly [what: string, file: string])[] = [
  ['three days', tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: 3d }'])],
  ['no mapping rules', tenantFile([REFINER, SEGMENT, 'to_segment: { mapping: [], plugins: [] }'])],
  ['no deletion', tenantFile([REFINER, SEGMENT, 'to_refiner: { delete: false }'])],
]

test.each(PRIVATE)('the endpoint %s needs no warning', (endpoint) => {
  expect(accepted(unmarked(tenantFile([SEGMENT, REFINER_AT(endpoint)])).text).warnings).toEqual([])
})

test.each(HARMLESS)('%s needs no warning', (_, text) => {
  expect(accepted(text).warnings).toEqual([])
})

test('warnings are told beside the mistakes of a refused file, not among them', () => {
  const text = tenantFile([REFINER, SEGMENT, 'enabled: 1'], ['tests: [x]'])
  expect(mistakesOf(text).map(({ code }) => code)).toEqual(['wrong_type'])
  expect(read(text).warnings.map(({ code }) => code)).toEqual(['no_effect'])
})

test('nobody is told that dead deliveries could be sent again', () => {
  const { warnings } = accepted(tenantFile([REFINER, SEGMENT], ['delivery: { give_up_after: 1h }']))
  expect(warnings.map(({ hint }) => hint)).toEqual(['dead deliveries are kept, but never sent again'])
})
