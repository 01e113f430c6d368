import { expect, test } from 'bun:test'
import { compileCondition, membershipsOf } from '../../src/rules/segment-conditions.ts'
import type { UserFacts } from '../../src/rules/user-variables.ts'

test.each([
  ['accounts', 'account.traits.seats > 10'],
  ['events', '"Used" in events'],
  ['responses', 'size(responses) == 0'],
] as const)('where the %s cannot be read, nobody is put out of a segment', (name, condition) => {
  const fault = new Error('disk I/O error')
  const facts: UserFacts = {
    tenant: 'acme',
    userId: 'ada',
    firstSeenAt: 1,
    email: null,
    refinerUuid: null,
    traits: {},
    accounts: () => [],
    events: () => [],
    responses: () => [],
    [name]: () => {
      throw fault
    },
  }
  expect(() => membershipsOf([compileCondition(condition)], facts)).toThrow(fault)
})
