import { expect, test } from 'bun:test'
import { proposeRules } from '../../src/init/propose-rules.ts'
import { readRefinerWebhook } from '../../src/mapping/refiner-webhook.ts'
import { withResponse } from '../fixtures/refiner-webhook.ts'

function proposal(data: Record<string, unknown>) {
  const interaction = readRefinerWebhook(JSON.stringify(withResponse({ data })), 0)
  if ('unreadable' in interaction) throw new Error(interaction.unreadable)
  return proposeRules(interaction)
}

test('looks at each answer', () => {
  const data = { nps: '9', seats: '12', since: '2024-02-29', tools: ['a'], why: 'x'.repeat(41), role: 'CTO' }
  expect(proposal(data)).toMatchObject({
    nps: ['nps'],
    casts: [
      { name: 'seats', type: 'number' },
      { name: 'since', type: 'date' },
    ],
    lists: ['tools'],
    freeTexts: ['why'],
  })
})

test.each(['properties.seats', 'traits.seats', 'se*ts', 'ada@example.com', 'call 0123456'])(
  'the name %s would mean something else in a rule, or is data',
  (name) => {
    expect(proposal({ [name]: '12', rows: '3' }).casts).toEqual([{ name: 'rows', type: 'number' }])
  },
)
