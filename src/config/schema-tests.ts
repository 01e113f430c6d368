import { type Static, Type } from '@sinclair/typebox'
import { reason, TestInput } from './schema-choice.ts'
import { anyMapping, closed, flag, optional, text } from './schema-fields.ts'

const TestFields = Type.Object(
  {
    name: text('What the test shows.', {
      shown: true,
      examples: ['a promoter becomes an NPS Submitted event'],
    }),
    tenant: optional(text('Whose mapping is tested; may be left out when there is one tenant.')),
    input: TestInput,
    expect: optional(
      Type.Array(anyMapping('A message, as far as it matters.'), {
        description: 'Messages that must come out in this order, among others.',
        examples: [[{ type: 'track', event: 'NPS Submitted', properties: { score: 9 } }]],
      }),
    ),
    exact: optional(
      flag(false, 'True allows no other message, and no other trait or property, than `expect` names.'),
    ),
    expect_skip: optional(reason('It must be skipped, for a reason that holds this text.')),
    expect_error: optional(reason('Its mapping must fail, for a reason that holds this text.')),
  },
  { ...closed, description: 'A test of the mapping.' },
)

/** Tests of the mapping, as the file writes them. */
export const TestList = Type.Array(TestFields, { description: 'Tests of the mapping: `refiner-sync test`.' })
export type TestList = Static<typeof TestList>

/** A file of config/tests/. */
export const TestFile = Type.Object({ tests: TestList }, { ...closed, description: 'Tests of the mapping.' })
